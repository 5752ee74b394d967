# shellcheck shell=bash
# The quick lists of ./dev gpu: the most valuable steps for a machine that is available for minutes,
# in that order.

gpu_quick_seconds=0 # of a list in all
gpu_quick_bad=()
gpu_quick_done=0
gpu_missing=()
gpu_rehearsing=0 # steps are not run; those whose test has no such case go into gpu_missing

gpu_found() { printf '  %-20s %s\n' "$@" >&2; }

# gpu_starts PROGRAM: prints what the loader says if it does not find everything that the program
# needs, otherwise nothing. The program is not run.
gpu_starts() {
  local text status=0
  text=$(soon env LD_TRACE_LOADED_OBJECTS=1 "$1" 2>&1 </dev/null) || status=$?
  if text=$(grep 'not found' <<<"$text") || [ "$status" -ne 0 ]; then
    printf '%s: %s\n' "$(basename "$1")" "$(sed 's/^\s*//; q' <<<"${text:-it does not start}")"
  fi
}

# Looks for everything that the lists need. Missing things go into gpu_missing; prints what is
# there.
gpu_check() {
  local program complaint line tool
  gpu_found commit "$(gpu_commit)"
  local programs=0
  while IFS= read -r program; do
    complaint=$(gpu_starts "$gpu_folder/$program")
    if [ -z "$complaint" ]; then programs=$((programs + 1)); else gpu_missing+=("$complaint"); fi
  done <"$gpu_folder/device_programs.txt"
  gpu_found "programs that start" "$programs"
  local golden=(tests/golden/*.safetensors)
  if [ -e "${golden[0]}" ]; then
    gpu_found "golden files" "${#golden[@]}"
  else
    gpu_missing+=("tests/golden")
  fi
  line=$(soon "$gpu_folder/bin/bench_model" --benchmark_list_tests 2>&1 >/dev/null || true)
  if [[ $line == *cuBLASLt* && $line == *cuDNN* ]]; then
    line=${line%%$'\n'*}
    gpu_found libraries "${line#*: }"
  else
    gpu_missing+=("cuBLASLt or cuDNN (${line##*: })")
  fi
  if line=$(soon "$(gpu_python)" -c 'from importlib.metadata import version; import platform
print(platform.python_version() + ", PyTorch " + version("torch"))' 2>/dev/null); then
    gpu_found python3 "$line"
  else
    gpu_missing+=("a python3 with PyTorch, for the peers")
  fi
  for tool in ncu compute-sanitizer; do
    if command -v "$tool" >/dev/null; then
      gpu_found "$tool" "$(command -v "$tool")"
    else
      gpu_missing+=("$tool, for the second list")
    fi
  done
  gpu_rehearsing=1
  gpu_quick_first
  gpu_quick_second
  gpu_rehearsing=0
  if gpu_seen; then
    gpu_found GPU "$(soon nvidia-smi --query-gpu=name,driver_version --format=csv,noheader | head -n 1)"
  else
    gpu_missing+=("an NVIDIA GPU (nvidia-smi lists none)")
  fi
}

# quick_has_tests COMMAND...: whether the test program of the command has the test cases that the
# command names.
quick_has_tests() {
  while [ $# -gt 0 ] && [[ $1 != "$gpu_folder"/tests/* ]]; do shift; done
  [ $# -eq 0 ] || [ -n "$(soon "$@" --list-test-names-only 2>/dev/null || true)" ] # which exits with their number
}

# quick NAME SECONDS COMMAND...: a step of a list. A table is written after each step, whatever
# comes next.
quick() {
  local name=$1 limit=$2 status=0 left=$((gpu_deadline - SECONDS))
  shift 2
  if [ "$gpu_rehearsing" -eq 1 ]; then
    quick_has_tests "$@" || gpu_missing+=("$name: no test has the name that it asks for")
    return
  fi
  gpu_run "$name" $((limit < left ? limit : left)) "$@" || status=$?
  if [[ $status -eq 0 && $name == bench-* ]] && ! gpu_measured "$name"; then status=1; fi
  if [[ $status -eq 0 && $name == counters-* ]] && ! grep -q 'Section:' "$gpu_results/$name.log"; then
    gpu_note "$name" "failed, nothing profiled" 0
    status=1
  fi
  case $name:$status in
    *:0 | peers-*:4) gpu_quick_done=$((gpu_quick_done + 1)) ;;
    *:124) gpu_quick_bad+=("$name cut off") ;;
    *) gpu_quick_bad+=("$name failed") ;;
  esac
  gpu_report || gpu_quick_bad+=("report after $name")
}

# quick_program NAME SECONDS PROGRAM FILTER [argument...]: runs a benchmark program and writes its
# figures to NAME.json.
quick_program() {
  quick "$1" "$2" "$gpu_folder/bin/$3" --benchmark_filter="$4" "${@:5}" \
    --benchmark_out="$gpu_results/$1.json" --benchmark_out_format=json
}

# quick_peers NAME SECONDS [argument of peers.py...]
quick_peers() {
  if [ "$gpu_rehearsing" -eq 0 ] && ! command -v python3 >/dev/null; then
    gpu_note "$1" "skipped, no python3" 0
    return
  fi
  gpu_peers "${@:3}"
  quick "$1" "$2" "${gpu_peers_command[@]}"
}

# docs/benchmarks/gpu.md has estimates for each step.
gpu_quick_first() {
  local tests=$gpu_folder/tests
  gpu_quick_seconds=470
  gpu_deadline=$((SECONDS + gpu_quick_seconds))
  quick attention-awkward 30 "$tests/test_kernel_attention_gpu" "Attention kernel equals the reference at awkward sizes*"
  quick attention 60 "$tests/test_kernel_attention_gpu"
  quick_program bench-kernels 60 bench_kernels \
    '^ceiling/|^attention/hopper/(D32/2048x2048/batch:(1|32)|D32/600x1024/batch:8|D64/.*|D128/.*)/bf16' \
    --benchmark_min_time=0.2
  quick kernels 60 "$tests/test_kernels_gpu"
  quick golden-small 30 "$tests/test_cuda_gpu" --success "a small network on CUDA equals the reference in PyTorch*"
  quick golden-bf16 90 "$tests/test_cuda_large_gpu" --success "*- bfloat16"
  quick_program bench-model 120 bench_model \
    '^gpu/((device|host)_images/reference/batch:(1|64)|(backbones|fusion|heads)/reference/batch:1)/bf16' \
    --benchmark_min_time=0.3
  quick_peers peers-attention 90 attention --shape D32/2048x2048/batch:32 --shape D64 --shape D128 \
    --rounds 3 --figures "$gpu_results/bench-kernels.json"
  quick_peers peers-network 90 network --modes eager,graph --rounds 3 --figures "$gpu_results/bench-model.json"
  quick_peers peers-network-compiled 150 network --modes reduce-overhead --rounds 3 \
    --figures "$gpu_results/bench-model.json"
}

gpu_quick_second() {
  local tests=$gpu_folder/tests tool shape
  gpu_quick_seconds=300
  gpu_deadline=$((SECONDS + gpu_quick_seconds))
  # Units in use, issue and stalls of one launch; the clocks are not changed.
  for shape in D32/2048x2048/batch:32 D128/2048x2048/batch:8; do
    quick "counters-${shape%%/*}" 45 ncu --clock-control none --kernel-name regex:attention_hopper --launch-count 1 \
      --section SpeedOfLight --section ComputeWorkloadAnalysis --section SchedulerStats --section WarpStateStats \
      --print-details all "$gpu_folder/bin/bench_kernels" --benchmark_filter="^attention/hopper/$shape/bf16" \
      --benchmark_min_time=0.01
  done
  quick ops 60 "$tests/test_ops_gpu"
  quick golden-f32 60 "$tests/test_cuda_large_gpu" --success "*- float"
  quick_program bench-match 30 bench_model '^gpu/match/' --benchmark_min_time=0.2
  quick_program bench-memory 40 bench_kernels '^(softmax|add_layer_norm)/' --benchmark_min_time=0.1
  for tool in memcheck racecheck; do
    quick "$tool-hopper" 60 compute-sanitizer --tool "$tool" --error-exitcode 86 "$tests/test_kernel_attention_gpu" \
      "$(gpu_case 'Hopper attention in every configuration, each block with several heads - AttentionSubject<bfloat16, cuda::AttentionKernel::hopper>')"
  done
  quick network 60 "$tests/test_cuda_gpu"
  quick world 30 "$tests/test_world_gpu"
}

# gpu_quick [first|second]
gpu_quick() {
  local list=${1:-first} absent message
  if [ $# -gt 1 ] || ! declare -F "gpu_quick_$list" >/dev/null; then
    gpu_usage >&2
    die "no quick list named '$*'; there are first and second"
  fi
  [ -s "$gpu_folder/device_programs.txt" ] ||
    die "there are no programs in $gpu_folder: run ./dev gpu build, or unpack what ./dev gpu --pack wrote"
  gpu_results=$gpu_folder/quick-$list
  gpu_report_name=gpu-$list
  gpu_link_libraries
  say "what is here"
  gpu_check
  message=
  for absent in "${gpu_missing[@]}"; do message+="${message:+; }$absent"; done
  gpu_seen || gpu_absent "missing here: $message"
  [ -z "$message" ] || printf 'dev: gpu: missing here: %s\n' "$message" >&2
  rm -rf "$gpu_results"
  mkdir -p "$gpu_results"
  soon nvidia-smi -q >"$gpu_results/machine.log" 2>&1 || true
  "gpu_quick_$list"
  if [ -n "${OUT:-}" ]; then say "results: $OUT/$gpu_report_name.*"; else say "results: $gpu_results/gpu.*"; fi
  message=
  for absent in "${gpu_quick_bad[@]}"; do message+="${message:+, }$absent"; done
  printf 'dev: gpu: the %s list: %d steps went well, %d did not%s\n' "$list" "$gpu_quick_done" \
    "${#gpu_quick_bad[@]}" "${message:+: $message}" >&2
  [ ${#gpu_quick_bad[@]} -eq 0 ]
}
