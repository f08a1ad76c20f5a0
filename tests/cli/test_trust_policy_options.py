"""`--config` and `--trust`: how file and command line come to one policy, as every command sees it."""

from pathlib import Path

import pytest

from tests.conftest import Run, RunAmiguard

TRUSTED_BY_OPTION = "123456789012 (account): trusted\n  because   trusted: account 123456789012\n  see       --trust\n"


def test_without_a_file_the_options_are_the_policy(run_amiguard: RunAmiguard) -> None:
    run = run_amiguard("trust", "explain", "123456789012", "--trust", "333333333333", "--trust", "123456789012")

    assert run == Run(0, TRUSTED_BY_OPTION, "")


def test_options_add_to_the_file(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ntrust: {accounts: ['333333333333']}\n", encoding="utf-8")

    run = run_amiguard("trust", "explain", "123456789012", "-c", "a.yaml", "--trust", "123456789012")
    assert run == Run(0, TRUSTED_BY_OPTION, "")

    run = run_amiguard("trust", "explain", "333333333333", "-c", "a.yaml", "--trust", "123456789012")
    assert run == Run(
        0,
        "333333333333 (account): trusted\n"
        "  because   trusted: account 333333333333\n"
        "  see       a.yaml:2:20: trust.accounts[0]\n",
        "",
    )


def test_no_policy_at_all(run_amiguard: RunAmiguard) -> None:
    assert run_amiguard("trust", "explain", "everyone") == Run(
        2,
        "",
        "amiguard: error: no trust policy: nothing says whom you trust to launch your images\n"
        "  hint: name them with --trust ID, or write a settings file with `amiguard trust init`\n",
    )


def test_options_do_not_go_with_a_policy_that_trusts_nobody(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text("version: 1\ntrust: nobody\n", encoding="utf-8")

    assert run_amiguard("trust", "explain", "123456789012") == Run(
        0, "123456789012 (account): untrusted\n  because   not in the trust policy\n", ""
    )
    assert run_amiguard("trust", "explain", "123456789012", "--trust", "123456789012") == Run(
        2,
        "",
        "amiguard: error: amiguard.yaml says `trust: nobody`, and --trust names someone\n"
        "  hint: leave --trust out, or list in the file whom you trust\n",
    )


def test_options_do_not_mend_a_file(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / "amiguard.yaml").write_text("version: 1\n", encoding="utf-8")

    run = run_amiguard("trust", "explain", "123456789012", "--trust", "123456789012")

    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(
        "amiguard: error: amiguard.yaml cannot be used: 1 mistake\n"
        "amiguard.yaml:1:1: trust: the file does not say who is trusted"
    )


def test_the_file_in_the_config_folder_counts_last(run_amiguard: RunAmiguard, tmp_path: Path) -> None:
    (tmp_path / ".config" / "amiguard").mkdir(parents=True)
    (tmp_path / ".config" / "amiguard" / "amiguard.yaml").write_text("version: 1\ntrust: nobody\n", encoding="utf-8")

    assert run_amiguard("trust", "explain", "123456789012").code == 0
    (tmp_path / "amiguard.yaml").write_text("version: 2\ntrust: nobody\n", encoding="utf-8")
    assert run_amiguard("trust", "explain", "123456789012") == Run(
        2,
        "",
        "amiguard: error: amiguard.yaml cannot be used: 1 mistake\n"
        "amiguard.yaml:1:10: version: this amiguard reads version 1: write `version: 1`\n",
    )


@pytest.mark.parametrize("arguments", [("--help",), ("trust", "explain", "--help"), ("trust", "schema")])
def test_what_reads_no_settings_loads_no_parser(run_amiguard: RunAmiguard, arguments: tuple[str, ...]) -> None:
    run = run_amiguard(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"}, cold=True)

    assert run.code == 0
    assert "amiguard.cli.trust" in run.err
    assert [name for name in ("ruamel", "amiguard.files.settings_model") if name in run.err] == []
