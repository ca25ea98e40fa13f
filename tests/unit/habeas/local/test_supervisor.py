"""Children end with their owner, however that ends, and can be stopped and killed one by one. Real processes."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from habeas.local.errors import LocalStackError
from habeas.local.supervisor import Supervisor
from habeas.local.waiting import wait_until

FOREVER = [sys.executable, "-c", "import signal; print('on', flush=True); signal.pause()"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); signal.pause()",
]
# Starts children and tells their pids and the guardian's.
OWNER = """
import signal
import sys
from pathlib import Path
from habeas.local.supervisor import Supervisor
# A run in the background, or under nohup, hands these on as ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
supervisor = Supervisor()
children = [supervisor.start(f"c{n}", ["sleep", "600"], log=Path(sys.argv[1])) for n in range(3)]
if "lose-guardian" in sys.argv:
    supervisor._guardian.kill()
    supervisor._guardian.wait()
    children.append(supervisor.start("c3", ["sleep", "600"], log=Path(sys.argv[1])))
print(*(child.pid for child in children), supervisor._guardian.pid, flush=True)
signal.pause()
"""
# Holds a lock, starts a child, tells its pid and dies.
LOCK_HOLDER = """
import fcntl
import os
import signal
import sys
from pathlib import Path
from habeas.local.supervisor import Supervisor
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
child = Supervisor(keep_open=[lock]).start("child", ["sleep", "600"], log=Path(sys.argv[1] + ".log"))
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    own = Supervisor()
    yield own
    own.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def says_on(log: Path) -> bool:
    return log.exists() and "on" in log.read_text()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_owner_that_ends_leaves_nothing_behind(tmp_path: Path, end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path / "log"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 4
        assert all(map(alive, pids))
        owner.send_signal(end)
        owner.wait()
    assert wait_until(lambda: not any(map(alive, pids)), seconds=60), "children or guardian outlived their owner"


def test_a_kill_of_the_owners_whole_process_group_leaves_nothing_behind(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path / "log"], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        os.killpg(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(map(alive, pids)), seconds=60)


def test_a_killed_guardian_is_replaced_and_knows_the_children(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path / "log", "lose-guardian"], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 5
        owner.kill()
    assert wait_until(lambda: not any(map(alive, pids)), seconds=60)


def test_a_child_is_stopped_politely_and_the_others_stay(supervisor: Supervisor, log: Path) -> None:
    first, second = (supervisor.start(name, FOREVER, log=log) for name in ("first", "second"))
    first.stop()
    assert first.exit_code == -signal.SIGTERM
    assert [child.name for child in supervisor.children] == ["second"]
    assert second.running


def test_a_child_that_does_not_listen_is_killed(supervisor: Supervisor, log: Path) -> None:
    child = supervisor.start("stubborn", STUBBORN, log=log)
    assert wait_until(lambda: says_on(log), seconds=60)
    child.stop(within=0.2)
    assert child.exit_code == -signal.SIGKILL


def test_kill_takes_descendants_in_other_sessions_along(supervisor: Supervisor, log: Path) -> None:
    # PostgreSQL's backends have sessions of their own, too.
    child = supervisor.start("parent", ["sh", "-c", "setsid sleep 600 & echo $!; wait"], log=log)
    assert wait_until(lambda: log.read_text().endswith("\n"), seconds=60)
    grandchild = int(log.read_text())
    child.kill()
    assert child.exit_code == -signal.SIGKILL
    assert not alive(grandchild)


def test_close_stops_all_and_the_guardian_and_starts_nothing_more(supervisor: Supervisor, log: Path) -> None:
    children = [supervisor.start(name, FOREVER, log=log) for name in ("first", "second")]
    guardian = supervisor._guardian
    assert guardian is not None
    supervisor.close()
    assert not any(child.running for child in children)
    assert not alive(guardian.pid)
    with pytest.raises(LocalStackError, match="is being stopped"):
        supervisor.start("late", FOREVER, log=log)


def test_a_program_that_does_not_exist_shows_as_ended(supervisor: Supervisor, log: Path) -> None:
    child = supervisor.start("ghost", ["/no/such/program"], log=log)
    assert wait_until(lambda: not child.running, seconds=60)
    assert child.exit_code == 127


def test_run_says_whether_it_went_well_and_keeps_the_answer_apart(
    supervisor: Supervisor, log: Path, tmp_path: Path
) -> None:
    answer = tmp_path / "answer"
    assert supervisor.run("good", ["sh", "-c", "echo told; echo noise >&2"], log=log, answer=answer)
    assert answer.read_text() == "told\n"
    assert log.read_text() == "noise\n"
    assert answer.stat().st_mode & 0o777 == 0o600
    assert not supervisor.run("bad", ["false"], log=log)


def test_a_child_gets_the_environment_and_the_folder_and_no_input(
    supervisor: Supervisor, log: Path, tmp_path: Path
) -> None:
    assert supervisor.run("one", ["sh", "-c", "echo $WORD; pwd; cat"], log=log, env={"WORD": "word"}, cwd=tmp_path)
    assert log.read_text().split() == ["word", str(tmp_path)]


def test_descriptors_of_locks_stay_open_in_the_guardian_until_the_children_are_gone(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    done = subprocess.run([sys.executable, "-c", LOCK_HOLDER, lock], stdout=subprocess.PIPE, text=True, check=False)
    child = int(done.stdout)
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits for the guardian
        assert not alive(child)
