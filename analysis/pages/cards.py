"""Lays out cards on a page: one section each, and one for questions without an answer."""

from collections.abc import Iterator, Sequence

from analysis.cards.card import Card, Shown
from analysis.pages import page
from analysis.pages.page import Figure, Section, Table


def card_sections(cards: Sequence[Card]) -> Iterator[Section]:
    """Make a section for each answered card, and a last one with the others' reasons.

    Args:
        cards: cards in the order of the page.
    """
    yield from (_section(card) for card in cards if not card.refused)
    refused = tuple((card.question, card.refused) for card in cards if card.refused)
    if refused:
        yield Section(
            name="unanswered",
            title="Questions that the data do not answer",
            facts=refused,
        )


def _section(card: Card) -> Section:
    return Section(
        name=card.name,
        title=card.question,
        paragraphs=card.sentences,
        figures=tuple(card_figure(one) for one in card.shown if one.draw),
        tables=tuple(_table(one) for one in card.shown if not one.draw),
    )


def card_figure(shown: Shown) -> Figure:
    """Make a figure of a card with its caption and numbers.

    Args:
        shown: part of a card that has a figure.
    """
    assert shown.draw is not None
    return page.figure(shown.draw(), alt=shown.alt, caption=shown.caption, table=_table(shown))


def _table(shown: Shown) -> Table:
    return page.table(
        shown.table,
        shown.columns,
        name=shown.name,
        caption=shown.caption,
        sortable=shown.sortable,
    )
