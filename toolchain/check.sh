#!/usr/bin/env bash
# The checks, one line of result and seconds each: `check.sh lint`, `check.sh test`, `check.sh all`.
# Runs from the project's root with both environments installed. A failed step does not stop the
# next ones, so that one run shows everything that is wrong.
set -uo pipefail

bin=.venv/bin
bot=bot/.venv/bin/python
summary=()
failed=0

step() {
    local name=$1 begin=$SECONDS word=ok
    shift
    printf '\n== %s\n' "$name"
    "$@" </dev/null || { word=FAILED failed=1; }
    summary+=("$(printf '%-34s %4d s  %s' "$name" $((SECONDS - begin)) "$word")")
}

locks_are_current() {
    local uv
    uv=$(bash toolchain/uv.sh) || return
    "$uv" lock --check --quiet && "$uv" --directory bot lock --check --quiet --python "$PWD/$bot"
}

# Rasa prints a screenful of its libraries' warnings; what it found counts only if it fails.
bot_data_is_valid() {
    local said
    said=$(cd bot && .venv/bin/python -m rasa data validate --fail-on-warnings \
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

tests() {
    step "tests of the assistant" bot_tests
    step "tests" "$bin/pytest" -n 2 --dist loadgroup
}

case ${1:-all} in
    lint) lint ;;
    test) tests ;;
    all)
        lint
        step "lock files" locks_are_current
        step "rasa data validate" bot_data_is_valid
        step "training" "$bot" bot/pipeline/train.py
        tests
        ;;
    *) echo "usage: toolchain/check.sh lint|test|all" >&2; exit 2 ;;
esac

printf '\n'
printf '%s\n' "${summary[@]}"
exit "$failed"
