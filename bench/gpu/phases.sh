# shellcheck shell=bash
# ./dev gpu, which sources this file: a machine with an NVIDIA GPU tests and measures; one without packs
# what such a machine needs.
#
# Two ways to measure. Phases do everything, over hours if need be: a phase is a list of steps, each step
# that succeeds leaves a stamp in build-gpu/stamps and is not run again, so that a phase that was cut off
# goes on where it was. Quick lists (quick.sh) are for a machine that is lent for minutes.

gpu_phases=(build test sanitize bench-kernels bench-model peers-attention peers-network-1
            peers-network-8 peers-network-64 peers-fusion-1 peers-fusion-64)
gpu_folder=build-gpu
gpu_results=$gpu_folder/results
gpu_phase_seconds=470
gpu_failed=0
gpu_stopped=0

# shellcheck source=bench/gpu/pack.sh
source bench/gpu/pack.sh
# shellcheck source=bench/gpu/quick.sh
source bench/gpu/quick.sh

gpu_usage() {
  cat <<TEXT
usage: ./dev gpu [--again] [PHASE...]
       ./dev gpu --quick [first|second]
       ./dev gpu --pack [FILE]

Nothing is installed here: packages that CMake finds are enough (CMAKE_PREFIX_PATH, CUDNN_ROOT), and a pack
needs none. Exits 4 where there is no NVIDIA GPU.

--pack builds, on a machine with the CUDA toolkit and without a GPU, all that runs on one, and packs it
($gpu_pack_file). Unpacked elsewhere, ./dev gpu --quick and all phases but build run there without
compiler, network or packages; cuBLASLt and cuDNN are those of the machine or of its Python.

--quick does what matters most first, in about four minutes and eight at most: each step has a limit, and the report is
written after each. The second list, five minutes at most, is for when the first went well. Where there is no GPU
it says what else is missing. Example, on a machine that is lent for minutes:
  tar xf $gpu_pack_name.tar.gz && cd $gpu_pack_name && ./dev gpu --quick

Phases, all of them where none is named, each under eight minutes:
  ${gpu_phases[*]}
  bench, peers: all those that begin so (bench: the peers too)
A phase that was cut off goes on where it was when run again. Steps that are done are passed over;
--again repeats them, and so does a build that changed something.

Results: $gpu_results/gpu.json, gpu.md and gpu.log, copied to \$OUT where that is set. The peers need a
python3 with PyTorch (bench/peers/requirements.txt).
TEXT
}

gpu_absent() {
  printf 'dev: skipped: gpu: %s\n' "$*" >&2
  exit 4
}

gpu_seen() { nvidia-smi -L 2>/dev/null | grep -q '^GPU '; }

need_gpu() { gpu_seen || gpu_absent "no NVIDIA GPU here (nvidia-smi lists none)"; }

need_nvcc() {
  command -v "${CUDACXX:-nvcc}" >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] ||
    gpu_absent "no nvcc here, which the CUDA toolkit has; or carry a pack here (./dev gpu --help)"
}

# Where Python's packages of NVIDIA's libraries lie, one folder a library.
gpu_python_libraries() { python3 -c 'import nvidia; print(*nvidia.__path__, sep="\n")' 2>/dev/null || true; }

# The programs look for libraries in build-gpu/lib first: links to cuBLASLt, cuDNN and what these load, from
# the first place that has them.
gpu_link_libraries() {
  local folder library folders=()
  if [ -n "${CUDNN_ROOT:-}" ]; then folders+=("$CUDNN_ROOT"/lib "$CUDNN_ROOT"/lib64); fi
  while IFS= read -r folder; do folders+=("$folder"/*/lib); done < <(gpu_python_libraries)
  folders+=(/usr/local/cuda/lib64)
  mkdir -p "$gpu_folder/lib"
  find "$gpu_folder/lib" -type l -delete
  for folder in "${folders[@]}"; do
    for library in "$folder"/lib{cudnn,cublas,nvrtc}*.so*; do
      if [ -e "$library" ] && [ ! -e "$gpu_folder/lib/${library##*/}" ]; then
        ln -s "$library" "$gpu_folder/lib/"
      fi
    done
  done
}

# The commit that the programs are of.
gpu_commit() {
  if [ -e pack.json ]; then
    sed -n 's/.*"commit": "\([^"]*\)".*/\1/p' pack.json
  else
    git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || printf 'unknown\n'
  fi
}

# gpu_note STEP STATUS SECONDS: a line for the report.
gpu_note() {
  printf '{"step": "%s", "status": "%s", "seconds": %d}\n' "$@" >>"$gpu_results/steps.jsonl"
}

# gpu_run NAME SECONDS COMMAND...: runs a step under a limit and notes how it went: 0 went well, 124 cut
# off, 4 of peers: they are not possible on this machine, and say why in their last line.
gpu_run() {
  local name=$1 limit=$2 log=$gpu_results/$1.log started=$SECONDS status=124
  shift 2
  if [ "$limit" -gt 0 ]; then
    say "$name (at most $limit s)"
    status=0
    timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null || status=$?
  fi
  [ "$status" -ne 137 ] || status=124
  case $name:$status in
    *:0) gpu_note "$name" ok $((SECONDS - started)) ;;
    peers-*:4)
      printf 'skipped: %s: %s\n' "$name" "$(tail -n 1 "$log")" >&2
      gpu_note "$name" skipped $((SECONDS - started))
      ;;
    *:124) gpu_note "$name" "cut off" $((SECONDS - started)) ;;
    *)
      tail -n 30 "$log" >&2
      printf 'dev: %s: FAILED (exit %d); all of it: %s\n' "$name" "$status" "$log" >&2
      gpu_note "$name" failed $((SECONDS - started))
      ;;
  esac
  return "$status"
}

# gpu_step NAME COMMAND...: a step of a phase, within what is left of its time, unless it is done.
gpu_step() {
  local name=$1 status=0
  shift
  if [ -e "$gpu_folder/stamps/$name" ] || [ "$gpu_stopped" -eq 1 ]; then return; fi
  gpu_run "$name" $((gpu_deadline - SECONDS)) "$@" || status=$?
  case $name:$status in
    *:0) touch "$gpu_folder/stamps/$name" ;;
    peers-*:4) ;;
    *:124)
      printf 'dev: %s: cut off, %d s after its phase began: run the phase again\n' "$name" \
        $((SECONDS - gpu_deadline + gpu_phase_seconds)) >&2
      gpu_stopped=1
      ;;
    *) gpu_failed=1 ;;
  esac
}

# What CMake finds is all there is: on a machine with a GPU nothing is installed.
gpu_configure() {
  local log=$gpu_results/configure.log folder
  need_nvcc
  if [ -z "${CUDNN_ROOT:-}" ]; then
    while IFS= read -r folder; do
      if [ -e "$folder/cudnn/include/cudnn_graph.h" ]; then export CUDNN_ROOT=$folder/cudnn; fi
    done < <(gpu_python_libraries)
  fi
  if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache; fi
  say "configuring (gpu)"
  cmake --preset gpu >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "CMake does not find all it needs ($log): point CMAKE_PREFIX_PATH at it, or carry a pack here"
  }
  if grep 'CUDA' "$gpu_folder/skipped.txt" >&2; then
    die "the CUDA backend would be left out; CUDNN_ROOT says where cuDNN's include and lib are"
  fi
}

# A build that changed something makes all that was done with the former one undone.
gpu_build() {
  if [ -e pack.json ]; then
    say "build: this is a pack, there is nothing to build"
    return
  fi
  gpu_configure
  gpu_step build cmake --build "$gpu_folder" --target device_programs
  if ! grep -qx 'ninja: no work to do.' "$gpu_results/build.log"; then
    find "$gpu_folder/stamps" -type f ! -name build -delete
  fi
}

gpu_test() {
  local name program argument list=$gpu_folder/device_tests.txt
  [ -s "$list" ] || die "there is no $list: run ./dev gpu build first"
  while read -r name program argument; do
    gpu_step "test-$name" "$gpu_folder/$program" ${argument:+"$argument"}
  done <"$list"
}

# A test case's name as Catch takes it.
gpu_case() {
  local name=${1//\\/\\\\}
  name=${name//,/\\,}
  printf '%s\n' "${name//\[/\\[}"
}

# Every test case of the kernels' tests by itself, so that each is a short step.
gpu_sanitize() {
  local program tool names name number
  if ! command -v compute-sanitizer >/dev/null; then
    printf 'skipped: sanitize: no compute-sanitizer here\n' >&2
    gpu_note sanitize skipped 0
    return
  fi
  for program in "$gpu_folder"/tests/test_kernel*_gpu; do
    [ -x "$program" ] || die "there is no $program: run ./dev gpu build first"
    names=$("$program" --list-test-names-only || true) # whose exit code is how many there are
    number=0
    while IFS= read -r name; do
      [ -n "$name" ] || continue
      number=$((number + 1))
      for tool in memcheck racecheck; do
        gpu_step "$tool-$(basename "$program")-$number" \
          compute-sanitizer --tool "$tool" --error-exitcode 86 "$program" "$(gpu_case "$name")"
        if grep -qs 'Device not supported' "$gpu_results/$tool"-*.log; then
          printf 'skipped: sanitize: compute-sanitizer does not support this device here\n' >&2
          return
        fi
      done
    done <<<"$names"
  done
}

# gpu_measured NAME: whether the benchmarks of NAME.json were all measured. One that refused its own answer,
# or could not run, is a failure; the table says which.
gpu_measured() {
  local figures=$gpu_results/$1.json
  if [ -s "$figures" ] && ! grep -q '"error_occurred": true' "$figures"; then return 0; fi
  gpu_note "$1" "failed, see the table" 0
  return 1
}

# gpu_program NAME PROGRAM [argument...]: a benchmark program, its figures into NAME.json.
gpu_program() {
  local name=$1 program=$gpu_folder/bin/$2 stamp=$gpu_folder/stamps/$1
  shift 2
  [ -x "$program" ] || die "there is no $program: run ./dev gpu build first"
  gpu_step "$name" "$program" --benchmark_out="$gpu_results/$name.json" --benchmark_out_format=json "$@"
  if [ -e "$stamp" ] && ! gpu_measured "$name"; then
    rm "$stamp"
    gpu_failed=1
  fi
}

# A Python with PyTorch: the machine's, or the one of ./dev parity.
gpu_python() {
  local python
  for python in python3 .venv/bin/python; do
    if "$python" -c 'from importlib.metadata import version; version("torch")' >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return
    fi
  done
  printf 'python3\n'
}

# gpu_peers [argument...]: the command of the peers, for a step.
gpu_peers() {
  gpu_peers_command=(env "TORCHINDUCTOR_CACHE_DIR=$PWD/$gpu_folder/inductor" PYTHONUNBUFFERED=1 "$(gpu_python)"
                     bench/peers/peers.py "$@" --programs "$gpu_folder/bin" --out "$gpu_results")
}

gpu_phase() {
  local parts
  gpu_deadline=$((SECONDS + gpu_phase_seconds))
  gpu_stopped=0
  [ "$1" != build ] || rm -f "$gpu_folder/stamps/build"
  case $1 in
    build) gpu_build ;;
    test) gpu_test ;;
    sanitize) gpu_sanitize ;;
    bench-kernels) gpu_program "$1" bench_kernels ;;
    bench-model) gpu_program "$1" bench_model --benchmark_filter='^gpu/' ;;
    peers-attention)
      gpu_peers attention
      gpu_step "$1" "${gpu_peers_command[@]}"
      ;;
    peers-*)
      IFS=- read -ra parts <<<"$1"
      gpu_peers "${parts[1]}" --batch "${parts[2]}"
      gpu_step "$1" "${gpu_peers_command[@]}"
      ;;
  esac
  [ "$gpu_stopped" -eq 0 ] || gpu_failed=1
}

# gpu_forget PHASE: its steps are to be run again.
gpu_forget() {
  case $1 in
    build) ;; # is asked of ninja every time
    test) rm -f "$gpu_folder"/stamps/test-* ;;
    sanitize) rm -f "$gpu_folder"/stamps/{memcheck,racecheck}-* ;;
    *) rm -f "$gpu_folder/stamps/$1" ;;
  esac
}

# The report anew from all that there is, and what the steps said, in one file.
gpu_report() {
  local log file
  for log in "$gpu_results"/*.log; do
    [ "$log" = "$gpu_results/gpu.log" ] || { printf '==> %s\n' "$log" && cat "$log"; }
  done >"$gpu_results/gpu.log"
  if ! command -v python3 >/dev/null; then
    printf 'dev: no table: there is no python3 here; %s has the logs\n' "$gpu_results" >&2
  else
    python3 bench/report.py "$gpu_results" --commit "$(gpu_commit)" || return 1
  fi
  [ -n "${OUT:-}" ] || return 0
  for file in "$gpu_results"/gpu.{json,md,log}; do [ ! -e "$file" ] || cp "$file" "$OUT/"; done
}

# gpu [--again] [PHASE...], gpu --quick [LIST], gpu --pack [FILE]
gpu() {
  local again=0 argument phase chosen=() known
  case ${1:-} in
    --pack)
      gpu_build_and_pack "${@:2}"
      return
      ;;
    --quick)
      gpu_quick "${@:2}"
      return
      ;;
  esac
  for argument in "$@"; do
    known=0
    case $argument in
      --again) again=1 && continue ;;
      -h | --help | help) gpu_usage && return ;;
    esac
    for phase in "${gpu_phases[@]}"; do
      if [[ $phase == "$argument" || ($argument == bench && $phase =~ ^(bench|peers)-) ||
        ($argument == peers && $phase == peers-*) ]]; then
        chosen+=("$phase")
        known=1
      fi
    done
    [ "$known" -eq 1 ] || { gpu_usage >&2 && die "no phase named '$argument'"; }
  done
  [ ${#chosen[@]} -gt 0 ] || chosen=("${gpu_phases[@]}")
  need_gpu
  mkdir -p "$gpu_folder/stamps" "$gpu_results"
  gpu_link_libraries
  for phase in "${chosen[@]}"; do
    [ "$again" -eq 0 ] || gpu_forget "$phase"
    gpu_phase "$phase"
    [ "$phase" != build ] || [ "$gpu_failed" -eq 0 ] || break
  done
  gpu_report || die "no report: bench/report.py failed"
  say "results: ${OUT:-$gpu_results}/gpu.md"
  return "$gpu_failed"
}
