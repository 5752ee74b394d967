# shellcheck shell=bash
# ./dev gpu, which sources this file. A machine with an NVIDIA GPU tests and measures; a machine
# without one makes an archive for such a machine.
#
# There are two ways to measure. Phases do everything, over hours if necessary. A phase is a list of
# steps. Each step that succeeds leaves a stamp in build-gpu/stamps and is not run again, so an
# interrupted phase continues where it was. Quick lists (quick.sh) are for a machine that is
# available for minutes.

gpu_phases=(build test sanitize bench-kernels bench-model peers-attention peers-network-1
            peers-network-8 peers-network-64 peers-fusion-1 peers-fusion-64)
gpu_folder=build-gpu
gpu_results=$gpu_folder/results
gpu_phase_seconds=470
gpu_report_name=gpu # of the files in $OUT
gpu_failed=0
gpu_stopped=0
gpu_child=

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

Results: $gpu_results/gpu.json, gpu.md and gpu.log, of a quick list in $gpu_folder/quick-LIST; copied to
\$OUT where that is set (a list's as gpu-LIST.md and so on). They are written after every step. The peers
need a python3 with PyTorch (bench/peers/requirements.txt).
TEXT
}

gpu_absent() {
  printf 'dev: skipped: gpu: %s\n' "$*" >&2
  exit 4
}

# soon COMMAND...: a command that answers at once on a healthy machine, but may hang on one that
# lost its GPU.
soon() { timeout -k 2 20 "$@"; }

gpu_seen() { soon nvidia-smi -L 2>/dev/null | grep '^GPU ' >/dev/null; }

need_gpu() { gpu_seen || gpu_absent "no NVIDIA GPU here (nvidia-smi lists none)"; }

need_nvcc() {
  command -v "${CUDACXX:-nvcc}" >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] ||
    gpu_absent "no nvcc here, which the CUDA toolkit has; or carry a pack here (./dev gpu --help)"
}

# A Python with PyTorch: that of the machine, or that of ./dev parity.
gpu_python() {
  local python
  for python in python3 .venv/bin/python; do
    if soon "$python" -c 'from importlib.metadata import version; version("torch")' >/dev/null 2>&1; then
      printf '%s\n' "$python"
      return
    fi
  done
  printf 'python3\n'
}

# The folder with Python's packages of NVIDIA's libraries, one subfolder a library.
gpu_python_libraries() {
  soon "$(gpu_python)" -c 'import nvidia; print(*nvidia.__path__, sep="\n")' 2>/dev/null || true
}

# The programs look for libraries in build-gpu/lib first. It has links to cuBLASLt, cuDNN and what
# these load. All files of a library come from the first folder that has it.
gpu_link_libraries() {
  local folder library kind folders=()
  if [ -n "${CUDNN_ROOT:-}" ]; then folders+=("$CUDNN_ROOT"/lib "$CUDNN_ROOT"/lib64); fi
  while IFS= read -r folder; do folders+=("$folder"/*/lib); done < <(gpu_python_libraries)
  folders+=(/usr/local/cuda/lib64)
  mkdir -p "$gpu_folder/lib"
  find "$gpu_folder/lib" -type l -delete
  for kind in cudnn cublas nvrtc; do
    for folder in "${folders[@]}"; do
      library=("$folder/lib$kind"*.so*)
      [ -e "${library[0]}" ] || continue
      ln -s "${library[@]}" "$gpu_folder/lib/"
      break
    done
  done
}

# The commit that the programs were built from.
gpu_commit() {
  if [ -e pack.json ]; then
    sed -n 's/.*"commit": "\([^"]*\)".*/\1/p' pack.json
  else
    git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || printf 'unknown\n'
  fi
}

# gpu_note STEP STATUS SECONDS: writes a line for the report.
gpu_note() {
  printf '{"step": "%s", "status": "%s", "seconds": %d}\n' "$@" >>"$gpu_results/steps.jsonl"
}

# Ends an interrupted step too, and writes the report.
gpu_interrupted() {
  trap - INT TERM
  [ -z "$gpu_child" ] || kill "$gpu_child" 2>/dev/null || true
  [ ! -d "$gpu_results" ] || gpu_report || true
  exit "$1"
}

# gpu_run NAME SECONDS COMMAND...: runs a step under a time limit and notes the result: 0 success;
# 124 interrupted; 4, for peers: not possible on this machine, and the last line says why.
gpu_run() {
  local name=$1 limit=$2 log=$gpu_results/$1.log started=$SECONDS status=124
  shift 2
  if [ "$limit" -gt 0 ]; then
    say "$name (at most $limit s)"
    status=0
    timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null &
    gpu_child=$!
    wait "$gpu_child" || status=$?
    gpu_child=
    if [ "$status" -eq 137 ] && [ $((SECONDS - started)) -ge "$limit" ]; then status=124; fi
    # On a machine with a GPU nothing may be skipped for lack of one.
    if [ "$status" -eq 0 ] && grep -qa 'skipped, no GPU' "$log"; then status=4; fi
  fi
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

# gpu_step NAME SECONDS COMMAND...: a step of a phase, unless it is done. It has its own time limit,
# and ends with the time of the phase.
gpu_step() {
  local name=$1 limit=$2 status=0 left=$((gpu_deadline - SECONDS))
  shift 2
  if [ -e "$gpu_folder/stamps/$name" ] || [ "$gpu_stopped" -eq 1 ]; then return; fi
  gpu_run "$name" $((limit < left ? limit : left)) "$@" || status=$?
  case $name:$status in
    *:0) touch "$gpu_folder/stamps/$name" ;;
    peers-*:4) ;;
    *:124)
      printf 'dev: %s: cut off, %d s after its phase began: run the phase again\n' "$name" \
        $((SECONDS - gpu_deadline + gpu_phase_seconds)) >&2
      gpu_failed=1
      [ "$SECONDS" -lt "$gpu_deadline" ] || gpu_stopped=1
      ;;
    *) gpu_failed=1 ;;
  esac
  gpu_report || gpu_failed=1
}

# Only what CMake finds is used: on a machine with a GPU nothing is installed.
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

# If a build changed something, everything done with the build before is undone.
gpu_build() {
  if [ -e pack.json ]; then
    say "build: this is a pack, there is nothing to build"
    return
  fi
  gpu_configure
  gpu_step build "$gpu_phase_seconds" cmake --build "$gpu_folder" --target device_programs
  if ! grep -qx 'ninja: no work to do.' "$gpu_results/build.log"; then
    find "$gpu_folder/stamps" -type f ! -name build -delete
  fi
}

gpu_test() {
  local name program argument list=$gpu_folder/device_tests.txt
  [ -s "$list" ] || die "there is no $list: run ./dev gpu build first"
  while read -r name program argument; do
    gpu_step "test-$name" 200 "$gpu_folder/$program" ${argument:+"$argument"}
  done <"$list"
}

# The name of a test case in the form that Catch takes.
gpu_case() {
  local name=${1//\\/\\\\}
  name=${name//,/\\,}
  printf '%s\n' "${name//\[/\\[}"
}

# Runs every test case of the kernels' tests separately, so that each is a short step.
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
        gpu_step "$tool-$(basename "$program")-$number" 120 \
          compute-sanitizer --tool "$tool" --error-exitcode 86 "$program" "$(gpu_case "$name")"
        if grep -qs 'Device not supported' "$gpu_results/$tool"-*.log; then
          printf 'skipped: sanitize: compute-sanitizer does not support this device here\n' >&2
          return
        fi
      done
    done <<<"$names"
  done
}

# gpu_measured NAME: whether all benchmarks of NAME.json were measured. A benchmark that refused its
# own answer, or could not run, is a failure; the table says which.
gpu_measured() {
  local figures=$gpu_results/$1.json
  if [ -s "$figures" ] && ! grep -q '"error_occurred": true' "$figures"; then return 0; fi
  gpu_note "$1" "failed, see the table" 0
  return 1
}

# gpu_program NAME PROGRAM [argument...]: runs a benchmark program and writes its figures to
# NAME.json.
gpu_program() {
  local name=$1 program=$gpu_folder/bin/$2 stamp=$gpu_folder/stamps/$1
  shift 2
  [ -x "$program" ] || die "there is no $program: run ./dev gpu build first"
  gpu_step "$name" "$gpu_phase_seconds" "$program" --benchmark_out="$gpu_results/$name.json" --benchmark_out_format=json "$@"
  if [ -e "$stamp" ] && ! gpu_measured "$name"; then
    rm "$stamp"
    gpu_failed=1
  fi
}

# gpu_peers [argument...]: the command that runs the peers, for a step.
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
      gpu_step "$1" "$gpu_phase_seconds" "${gpu_peers_command[@]}"
      ;;
    peers-*)
      IFS=- read -ra parts <<<"$1"
      gpu_peers "${parts[1]}" --batch "${parts[2]}"
      gpu_step "$1" "$gpu_phase_seconds" "${gpu_peers_command[@]}"
      ;;
  esac
  [ "$gpu_stopped" -eq 0 ] || gpu_failed=1
}

# gpu_forget PHASE: the steps of the phase will be run again.
gpu_forget() {
  case $1 in
    build) ;; # is asked of ninja every time
    test) rm -f "$gpu_folder"/stamps/test-* ;;
    sanitize) rm -f "$gpu_folder"/stamps/{memcheck,racecheck}-* ;;
    *) rm -f "$gpu_folder/stamps/$1" ;;
  esac
}

# Writes the report again from everything there is, and the output of the steps to one file.
gpu_report() {
  local log file status=0
  for log in "$gpu_results"/*.log; do
    if [ -e "$log" ] && [ "$log" != "$gpu_results/gpu.log" ]; then printf '==> %s\n' "$log" && cat "$log"; fi
  done >"$gpu_results/gpu.log"
  if ! command -v python3 >/dev/null; then
    printf 'dev: no table: there is no python3 here; %s has the logs\n' "$gpu_results" >&2
  elif ! soon python3 bench/report.py "$gpu_results" --commit "$(gpu_commit)"; then
    printf 'dev: no report: bench/report.py failed\n' >&2
    status=1
  fi
  if [ -n "${OUT:-}" ]; then
    for file in "$gpu_results"/gpu.{json,md,log}; do
      [ ! -e "$file" ] || cp "$file" "$OUT/$(basename "${file/gpu./$gpu_report_name.}")" || status=1
    done
  fi
  return "$status"
}

# gpu [--again] [PHASE...], gpu --quick [LIST], gpu --pack [FILE]
gpu() {
  local again=0 argument phase chosen=() known
  export CROSSFIX_SOURCE_DIR=$PWD
  if [ -n "${OUT:-}" ]; then
    case $OUT in /*) ;; *) OUT=$dev_called_in/$OUT ;; esac
    mkdir -p "$OUT"
  fi
  trap 'gpu_interrupted 130' INT
  trap 'gpu_interrupted 143' TERM
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
  gpu_report || gpu_failed=1
  say "results: ${OUT:-$gpu_results}/gpu.md"
  return "$gpu_failed"
}
