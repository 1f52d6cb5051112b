#!/usr/bin/env bash
# Usage: data/fetch.sh NAME | --list
#
# Downloads a dataset of lockstep's catalogue into data/NAME, beside this script, and checks it by SHA-256.
# LOCKSTEP_MIRROR, a folder or a URL laid out as <mirror>/<name>/<file>, replaces the public mirrors.
# Files are fetched into a temporary folder that is renamed when everything has been checked: what stands at
# data/NAME is complete, and a second call has nothing to do.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mirror=${LOCKSTEP_MIRROR:-}
attempts=3
work=

mnist_files="train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"
emnist_splits="balanced byclass bymerge digits letters mnist"

# SHA-256 of the uncompressed contents: copies of the .gz files differ in their time stamps.
# fashion-mnist: the files of Debian's package dataset-fashion-mnist.
declare -A content_sum=(
  [mnist/train-images-idx3-ubyte]=ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
  [mnist/train-labels-idx1-ubyte]=65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
  [mnist/t10k-images-idx3-ubyte]=0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
  [mnist/t10k-labels-idx1-ubyte]=ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
  [fashion-mnist/train-images-idx3-ubyte]=c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
  [fashion-mnist/train-labels-idx1-ubyte]=bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
  [fashion-mnist/t10k-images-idx3-ubyte]=5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
  [fashion-mnist/t10k-labels-idx1-ubyte]=0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
)

# SHA-256 of the files as the publishers serve them, where only those are known.
# Source: TensorFlow Datasets, tensorflow_datasets/url_checksums/{kmnist,emnist,cifar10}.txt.
declare -A served_sum=(
  [kmnist/train-images-idx3-ubyte.gz]=51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4
  [kmnist/train-labels-idx1-ubyte.gz]=e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17
  [kmnist/t10k-images-idx3-ubyte.gz]=edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5
  [kmnist/t10k-labels-idx1-ubyte.gz]=20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c
  [emnist/gzip.zip]=fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e
  [cifar10/cifar-10-binary.tar.gz]=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
)

declare -A public_url=(
  [mnist]=https://ossci-datasets.s3.amazonaws.com/mnist
  [fashion-mnist]=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
  [kmnist]=http://codh.rois.ac.jp/kmnist/dataset/kmnist
  [emnist]=https://biometrics.nist.gov/cs_links/EMNIST
  [cifar10]=https://www.cs.toronto.edu/~kriz
)

say() { printf '%s\n' "$*"; }
die() { printf 'fetch.sh: %s\n' "$1" >&2; exit "${2:-1}"; } # MESSAGE [EXIT_STATUS]

catalogue=(mnist fashion-mnist kmnist emnist)
for split in $emnist_splits; do catalogue+=("emnist-$split"); done
catalogue+=(cifar10)

usage() {
  say "Usage: data/fetch.sh NAME | --list"
  say
  say "Downloads a dataset into data/NAME and checks it by SHA-256. Names:"
  printf '  %s\n' "${catalogue[@]}"
  say
  say "Environment:"
  say "  LOCKSTEP_MIRROR  a folder or URL laid out as <mirror>/<name>/<file>, instead of the public mirrors"
}

# get FROM TO: fetch a URL, or copy a local file. Returns 1 when it is not there; other failures end the script.
get() {
  local from=$1 to=$2 try
  if [[ $from != *://* ]]; then
    [[ -f $from ]] || return 1
    cp --no-preserve=mode -- "$from" "$to" || die "cannot copy $from; nothing was kept"
    return
  fi
  for ((try = 1; try <= attempts; try++)); do
    if curl --fail --location --silent --show-error --connect-timeout 20 --speed-limit 1000 --speed-time 60 \
      --output "$to" -- "$from" 2>"$work/curl.log"; then
      return 0
    fi
    rm -f -- "$to"
    if grep -qE 'error: (403|404|410)' "$work/curl.log"; then return 1; fi # waiting will not bring it
    if ((try < attempts)); then sleep "$((try * 2))"; fi
  done
  die "cannot fetch $from: $(tail -n 1 "$work/curl.log"); nothing was kept"
}

sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }

# The sum of a file's contents, decompressed if its name ends in .gz; fails if the gzip data are damaged.
content_sum_of() {
  if [[ $1 == *.gz ]]; then
    gzip -dc -- "$1" | sha256sum | cut -d ' ' -f 1
  else
    sum_of "$1"
  fi
}

# check NAME FILE: compare $work/FILE with what is known of it.
check() {
  local name=$1 file=$2 path=$work/$2 wanted found
  found=$(content_sum_of "$path") || die "$name/$file: the gzip data are damaged; nothing was kept"
  wanted=${content_sum[$name/${file%.gz}]:-}
  if [[ -n $wanted ]]; then
    [[ $found == "$wanted" ]] ||
      die "$name/$file: SHA-256 of the contents is $found, expected $wanted; nothing was kept"
    say "  $file: SHA-256 of the contents is right"
    return
  fi
  wanted=${served_sum[$name/$file]:-}
  if [[ -n $wanted && $(sum_of "$path") == "$wanted" ]]; then
    say "  $file: SHA-256 of the published file is right"
  elif [[ -n $wanted && -z $mirror ]]; then
    die "$name/$file: SHA-256 is $(sum_of "$path"), expected $wanted; nothing was kept"
  else
    [[ -z $wanted ]] || say "  $file: not the published file, of which alone a SHA-256 is known"
    say "  $file: no published SHA-256 of the contents known; it is $found: pin it in data/fetch.sh if you trust it"
  fi
}

# try_files FROM NAME FILE...: fetch loose files, each as FILE.gz or as FILE. Returns 1 if the first is not there.
try_files() {
  local from=$1 name=$2 file fetched=0
  shift 2
  for file in "$@"; do
    if get "$from/$file.gz" "$work/$file.gz"; then
      check "$name" "$file.gz"
    elif get "$from/$file" "$work/$file"; then
      check "$name" "$file"
    elif ((fetched == 0)); then
      return 1
    else
      die "cannot get $file.gz from $from; nothing was kept"
    fi
    fetched=1
  done
}

need() { command -v "$1" >/dev/null || die "$1 is needed for this: apt-get install $2"; }

# fetch_archive FROM NAME ARCHIVE: fetch and check an archive.
fetch_archive() {
  say "  $3: large, this takes a while"
  get "$1/$3" "$work/$3" || die "cannot get $1/$3; nothing was kept"
  if [[ $(sum_of "$work/$3") != "${served_sum[$2/$3]}" ]]; then
    die "$2/$3: SHA-256 is $(sum_of "$work/$3"), expected ${served_sum[$2/$3]}; nothing was kept"
  fi
  say "  $3: SHA-256 of the published file is right"
}

fetch_idx() {
  local name=$1 from=${mirror:+$mirror/$1}
  from=${from:-${public_url[$name]}}
  # shellcheck disable=SC2086 # a list of words
  try_files "$from" "$name" $mnist_files || die "cannot get $name from $from; nothing was kept"
}

# fetch_emnist NAME SPLIT...: loose files from the mirror, or the one archive that holds all splits.
fetch_emnist() {
  local name=$1 files=() split file
  shift
  for split in "$@"; do
    for file in train-images-idx3 train-labels-idx1 test-images-idx3 test-labels-idx1; do
      files+=("emnist-$split-$file-ubyte")
    done
  done
  if [[ -n $mirror ]]; then
    if try_files "$mirror/$name" "$name" "${files[@]}"; then return; fi
    if try_files "$mirror/emnist" "$name" "${files[@]}"; then return; fi
  fi
  need unzip unzip
  local from=${mirror:+$mirror/emnist}
  fetch_archive "${from:-${public_url[emnist]}}" emnist gzip.zip
  local members=("${files[@]/#/gzip/}")
  unzip -q -j "$work/gzip.zip" "${members[@]/%/.gz}" -d "$work"
  rm -f -- "$work/gzip.zip"
}

# Loose batches, as many as the mirror has, or the archive.
fetch_cifar10() {
  local from=${mirror:+$mirror/cifar10} batches=0 i
  from=${from:-${public_url[cifar10]}}
  if [[ -n $mirror ]] && try_files "$from" cifar10 test_batch.bin; then
    for i in 1 2 3 4 5; do
      if try_files "$from" cifar10 "data_batch_$i.bin"; then batches=$((batches + 1)); fi
    done
    ((batches > 0)) || die "$from has test_batch.bin, but no data_batch_*.bin; nothing was kept"
    ((batches == 5)) || say "  the mirror has $batches of the 5 training batches"
    get "$from/batches.meta.txt" "$work/batches.meta.txt" || true
    return
  fi
  fetch_archive "$from" cifar10 cifar-10-binary.tar.gz
  tar -xzf "$work/cifar-10-binary.tar.gz" -C "$work" --strip-components=1
  rm -f -- "$work/cifar-10-binary.tar.gz"
}

fetch() {
  case $1 in
  mnist | fashion-mnist | kmnist) fetch_idx "$1" ;;
  emnist) # shellcheck disable=SC2086 # a list of words
    fetch_emnist emnist $emnist_splits ;;
  emnist-*) fetch_emnist "$1" "${1#emnist-}" ;;
  cifar10) fetch_cifar10 ;;
  esac
}

main() {
  case ${1:-} in
  --list) printf '%s\n' "${catalogue[@]}"; return ;;
  --help | -h) usage; return ;;
  '') usage >&2; exit 2 ;;
  esac
  [[ $# -eq 1 ]] || die "one dataset at a time" 2
  local name=$1 target=$here/$1
  [[ " ${catalogue[*]} " == *" $name "* && $name != *" "* ]] ||
    die "'$name' is not in the catalogue: ${catalogue[*]}" 2
  if [[ -d $target ]]; then
    say "$name is at $target already; remove that folder to get it again"
    return
  fi
  [[ -z $mirror || $mirror == *://* || -d $mirror ]] || die "LOCKSTEP_MIRROR: there is no folder '$mirror'" 2
  need curl curl
  work=$(mktemp -d -- "$here/.fetch-$name-XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  say "fetching $name from ${mirror:-its public mirror}"
  fetch "$name"
  rm -f -- "$work/curl.log"
  chmod 755 "$work"
  mv -T -- "$work" "$target"
  say "$name is at $target"
  # shellcheck disable=SC2086 # a list of words
  [[ $name != emnist ]] || printf 'data.source=emnist-%s\n' $emnist_splits
}

main "$@"
