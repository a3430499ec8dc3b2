#!/usr/bin/env bash
# Builds oneTBB from Debian's own source with -fsanitize=thread into build/tsan-tbb, where the preset
# `tsan` looks for it. With Debian's binary library every task reports a race that is none, because
# TSan cannot see the synchronisation inside. Does nothing the second time. Exit code 75: the source cannot be fetched.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
prefix=$PWD/build/tsan-tbb
[[ -f $prefix/lib/cmake/TBB/TBBConfig.cmake ]] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A private package index with source entries, made from the system's own; the system's stays as it is.
mkdir -p "$work/lists/partial" "$work/parts"
for list in /etc/apt/sources.list.d/*.sources; do
  [[ -f $list ]] && sed 's/^Types:.*/Types: deb-src/' "$list" >"$work/parts/$(basename "$list")"
done
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [[ -f $list ]] && sed -n 's/^deb /deb-src /p' "$list" >"$work/parts/$(basename "$list")"
done
apt=(-qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts"
     -o Dir::State::Lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
version=$(dpkg-query -W -f='${source:Version}' libtbb-dev)  # the headers that everything else uses
fetch() { apt-get "${apt[@]}" update && cd "$work" && apt-get "${apt[@]}" source --download-only "onetbb=$version" >/dev/null; }
(fetch) || { echo "the source of onetbb $version cannot be fetched from this system's Debian archive" >&2; exit 75; }
mkdir "$work/source"
tar -xf "$work"/onetbb_*.orig.tar.* -C "$work/source" --strip-components=1

# TBB's own TBB_SANITIZE refuses clang 14, hence the flags.
cmake -S "$work/source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_C_COMPILER=clang-14 -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_CXX_FLAGS=-fsanitize=thread \
  -DTBB_TEST=OFF -DTBBMALLOC_BUILD=OFF -DTBB_STRICT=OFF -DCMAKE_INSTALL_LIBDIR=lib \
  -DCMAKE_INSTALL_PREFIX="$prefix" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
cmake --build "$work/build" --target install >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
echo "oneTBB $version with -fsanitize=thread is in build/tsan-tbb"
