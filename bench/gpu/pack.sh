# shellcheck shell=bash
# ./dev gpu --pack: makes one archive of what a machine with a GPU runs, without a compiler, network
# or packages there: programs, the libraries they are linked with, golden files, the peers and ./dev
# gpu itself.

gpu_pack_name=crossfix-gpu
gpu_pack_file=$gpu_folder/$gpu_pack_name.tar.gz
gpu_pack_megabytes=40 # at most

# The parts of the project that go into the archive, as git names them.
gpu_pack_sources=(dev LICENSE bench/gpu bench/peers bench/report.py training/*.py tests/golden
                  models/crossfix-ground.safetensors)

# gpu_libraries PROGRAM...: the shared libraries that programs are linked with, except glibc's own,
# which must match the system's loader. One line "NAME PATH" each.
gpu_libraries() {
  ldd "$@" | sed -n 's/^\s*\(lib[^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' |
    grep -Ev '^lib(c|m|dl|rt|pthread|resolv|mvec)\.so' | sort -u
}

# gpu_pack BUILD FILE: packs the device programs of the folder BUILD.
gpu_pack() {
  local build=$1 file=$2 stage name path size program
  stage=$(mktemp -d)
  local root=$stage/$gpu_pack_name
  mkdir -p "$root/$gpu_folder/lib" "$(dirname "$file")"
  git ls-files -z --cached --others --exclude-standard "${gpu_pack_sources[@]}" | xargs -0 cp --parents -t "$root"
  cp "$build"/device_{programs,tests}.txt "$root/$gpu_folder/"
  while IFS= read -r program; do
    [ -x "$build/$program" ] || die "there is no $build/$program: build the target device_programs first"
    mkdir -p "$root/$gpu_folder/$(dirname "$program")"
    strip -o "$root/$gpu_folder/$program" "$build/$program"
    gpu_libraries "$build/$program"
  done <"$build/device_programs.txt" >"$stage/libraries"
  while read -r name path; do cp -L "$path" "$root/$gpu_folder/lib/$name"; done < <(sort -u "$stage/libraries")
  printf '{"commit": "%s", "date": "%s", "compiler": "%s", "cuda": "%s"}\n' "$(gpu_commit)" \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(c++ -dumpfullversion)" \
    "$("${CUDACXX:-nvcc}" --version 2>/dev/null | sed -n 's/.*release.*, V//p')" >"$root/pack.json"
  tar -C "$stage" --owner=0 --group=0 --sort=name -cf - "$gpu_pack_name" | gzip >"$file.partial"
  rm -rf "$stage"
  size=$(stat -c %s "$file.partial")
  if [ "$size" -gt $((gpu_pack_megabytes * 1000000)) ]; then
    rm "$file.partial"
    die "the pack would be $((size / 1000000)) MB, more than the $gpu_pack_megabytes MB that it may be"
  fi
  mv "$file.partial" "$file"
  [[ $(gpu_commit) != *-dirty ]] || printf 'dev: gpu: the pack holds changes that are not committed\n' >&2
  say "$file: $((size / 1000)) kB, of commit $(gpu_commit); there: tar xf, cd $gpu_pack_name, ./dev gpu --quick"
}

# gpu_build_and_pack [FILE]: for a machine that reaches Debian's packages and has the CUDA toolkit.
gpu_build_and_pack() {
  if [ $# -gt 1 ] || [[ ${1:-} == -* ]]; then
    gpu_usage >&2
    die "--pack takes the archive's name alone, or nothing ($gpu_pack_file)"
  fi
  [ ! -e pack.json ] || die "this is a pack already; run --pack in the project's own tree"
  need "${build_packages[@]}" git
  mkdir -p "$gpu_results"
  gpu_configure
  say "building what a GPU runs"
  cmake --build "$gpu_folder" --target device_programs
  case ${1:-/} in /*) ;; *) set -- "$dev_called_in/$1" ;; esac
  gpu_pack "$gpu_folder" "${1:-$gpu_pack_file}"
}
