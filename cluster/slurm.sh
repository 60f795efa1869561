#!/bin/bash
# A study on several machines of a Slurm cluster:
#   sbatch --nodes 4 --time 8:00:00 cluster/slurm.sh SPACE.yaml [OPTIONS of search.run]
# It goes back to the queue by itself until the study is done; docs/cluster.md says more.
#SBATCH --job-name=res2net
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --gpus-per-node=1
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
set -u

# What workers and driver prove to each other that they belong together; mktemp makes a file
# that only you can read, and RAY_AUTH_TOKEN_PATH is passed on by srun. Its folder must be one
# that all machines see.
token=$(mktemp "${SLURM_SUBMIT_DIR:-$PWD}/.ray-token.XXXXXX")
home=$(mktemp -d)
trap 'rm -rf "$token" "$home"' EXIT
unset RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH
export RAY_AUTH_MODE=token
HOME=$home ray get-auth-token --generate >"$token" || exit 1
export RAY_AUTH_TOKEN_PATH=$token

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | cut -d ' ' -f 1)
address=$ip:$((20000 + SLURM_JOB_ID % 20000)) # two jobs may share a machine
cpus=${SLURM_CPUS_PER_TASK:-1}
export SRUN_CPUS_PER_TASK=$cpus # else srun gives each of its steps one CPU (since Slurm 22.05)

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
    ray start --head --node-ip-address="$ip" --port="${address#*:}" --num-cpus="$cpus" --block &
for _ in $(seq 60); do
    ray status --address "$address" >/dev/null 2>&1 && break
    sleep 1
done
others=$((SLURM_JOB_NUM_NODES - 1))
if [ "$others" -gt 0 ]; then
    srun --overlap --nodes="$others" --ntasks="$others" --exclude="$head" \
        ray start --address="$address" --num-cpus="$cpus" --block &
fi

# The study ends two minutes before the job would be killed, with all kept.
limit=()
if [ -n "${SLURM_JOB_END_TIME:-}" ]; then
    left=$((SLURM_JOB_END_TIME - $(date +%s) - 120))
    if [ "$left" -lt 1 ]; then # it would go back to the queue for ever
        echo "$0: the job has less than two minutes; give it more with --time" >&2
        jobs -p | xargs -r kill 2>/dev/null
        exit 2
    fi
    limit=(--time-limit "${left}s")
fi
python -m search.run "$@" --address "$address" "${limit[@]}" &
driver=$!
asked=no
trap 'asked=yes; kill -TERM "$driver"' TERM # preempted: the driver keeps all within 20 seconds
wait "$driver"
while kill -0 "$driver" 2>/dev/null; do # the signal ended the waiting, not the driver
    wait "$driver"
done
wait "$driver" # the shell remembers how it ended
code=$?

# 4: the time limit came with work left. 130: it was asked to end, and if not by you, goes on.
if [ "$code" -eq 4 ] || { [ "$code" -eq 130 ] && [ "$asked" = yes ]; }; then
    scontrol requeue "$SLURM_JOB_ID"
fi
jobs -p | xargs -r kill 2>/dev/null
exit "$code"
