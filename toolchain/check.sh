#!/usr/bin/env bash
# The checks, one line of result and seconds each: `check.sh lint`, `check.sh test`, `check.sh all`.
# Runs from the project's root with both environments installed. A failed step does not stop the
# next ones, so that one run shows everything that is wrong.
set -uo pipefail

# Each started process would compile all files anew, and each run rewrite all assertions.
unset PYTHONDONTWRITEBYTECODE

bin=.venv/bin
bot=bot/.venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What runs in the background is deaf to Ctrl-C.
trap 'trap "" TERM; kill 0; exit 130' INT

step() {
    local name=$1 begin=$SECONDS word=ok
    shift
    printf '\n== %s\n' "$name"
    "$@" </dev/null || word=FAILED
    printf '%-34s %4d s  %s\n' "$name" $((SECONDS - begin)) "$word" >>"$work/summary"
}

# The steps of one function while those of another run; what they print is shown together at the end.
beside() {
    local side=$1
    shift
    "$side" >"$work/$side" 2>&1 &
    "$@"
    wait $!
    cat "$work/$side"
}

locks_are_current() {
    local uv
    uv=$(bash toolchain/uv.sh) || return
    "$uv" lock --check --quiet && "$uv" --directory bot lock --check --quiet --python "$PWD/$bot"
}

# Rasa prints a screenful of its libraries' warnings; what it found counts only if it fails.
bot_data_is_valid() {
    local said
    said=$(cd bot && .venv/bin/python pipeline/rasa_cli.py data validate --fail-on-warnings \
        --config config.yml --domain domain --data ../nlu_data 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
}

lint() {
    step "ruff: lint" "$bin/ruff" check .
    step "ruff: format" "$bin/ruff" format --check .
    step "mypy --strict" "$bin/mypy"
    step "layers and pure files" "$bin/lint-imports"
    step "templates" "$bin/python" -m toolchain.templates
    step "words" "$bin/python" -m toolchain.words
    step "documents" "$bin/python" -m toolchain.docs
}

bot_tests() {
    (cd bot && .venv/bin/python -m pytest)
}

of_the_assistant() {
    step "tests of the assistant" bot_tests
}

# As many processes as the cores that this is made for: with more, what is measured in a browser lies.
tests() {
    step "Chromium" "$bin/python" -m toolchain.browser
    beside of_the_assistant step "tests" "$bin/pytest" -n 2 --dist loadgroup
}

without_model() {
    lint
    step "lock files" locks_are_current
    step "rasa data validate" bot_data_is_valid
}

case ${1:-all} in
    lint) lint ;;
    test) tests ;;
    all)
        beside without_model step "training" "$bot" bot/pipeline/train.py
        tests
        ;;
    *) echo "usage: toolchain/check.sh lint|test|all" >&2; exit 2 ;;
esac

printf '\n'
cat "$work/summary"
! grep -q 'FAILED$' "$work/summary"
