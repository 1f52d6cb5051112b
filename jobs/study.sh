# shellcheck shell=bash
# Sourced by the studies: figures of runs.
#
#   study_program          sets and exports LOCKSTEP, or says how to build it
#   study_test RUN_DIR     test accuracy in per cent
#   study_field KEY RUN_DIR  a number or a word of its summary.json
#   study_mean             "mean ± standard deviation" of the numbers on standard input; the mean alone of one

study_program() {
  export LOCKSTEP=${LOCKSTEP:-build/quickstart/lockstep}
  [[ -x $LOCKSTEP ]] || { echo "no program $LOCKSTEP: bash jobs/quickstart.sh builds it" >&2; exit 1; }
}

study_test() {
  awk '/"test": \{/ {inside = 1} inside && /"accuracy":/ {gsub(",", ""); printf "%.6g\n", 100 * $2; exit}' "$1/summary.json"
}

study_field() {
  awk -v key="\"$1\":" '$1 == key {gsub(/[",]/, ""); print $2; exit}' "$2/summary.json"
}

study_mean() {
  awk '{n++; sum += $1; squares += $1 * $1}
    END {
      mean = sum / n; spread = n > 1 ? (squares - n * mean * mean) / (n - 1) : 0
      if (n > 1) printf "%.2f ± %.2f", mean, sqrt(spread > 0 ? spread : 0); else printf "%.2f", mean
    }'
}
