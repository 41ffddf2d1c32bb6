# SPDX-License-Identifier: Apache-2.0
"""A running board: its console as something a test can wait on, its flash as bytes."""

import codecs
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path


# Seconds for something that must happen; nothing takes this long unless it is broken.
WAIT = 180


class BoardError(AssertionError):
    """The console did not show what was waited for; carries what it did show."""


def _take_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Board:
    """One `airlift run` process, or on a terminal of its own `airlift monitor`. Every wait is for a console line or for the process's end."""

    def __init__(self, tool, build_dir, flash, target="linux", options=(), env=None,
                 terminal=False):
        self.flash = Path(flash)
        self.target = target
        verb = "monitor" if terminal else "run"
        command = [str(tool), verb, "-B", str(build_dir), "--flash", str(flash), *options]
        self.command = command
        self._terminal, stdin = pty.openpty() if terminal else (None, subprocess.PIPE)
        self._text = ""
        self._mark = 0
        self._ended = False
        self._change = threading.Condition()
        self.process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=terminal,
            preexec_fn=_take_terminal if terminal else None,
        )
        if terminal:
            os.close(stdin)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        # A read may end anywhere: within a character, or between CR and LF.
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        held = ""
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            with self._change:
                text = held + decoder.decode(data, final=not data)
                held = "\r" if data and text.endswith("\r") else ""
                self._text += text[:len(text) - len(held)].replace("\r\n", "\n")
                self._ended = not data
                self._change.notify_all()
                if not data:
                    return

    def expect(self, pattern, timeout=WAIT):
        """Waits until pattern appears after the last match; returns the match object."""
        match = self._await(pattern, None, timeout)
        with self._change:
            self._mark = match.end()
        return match

    def expect_since(self, mark, pattern, timeout=WAIT):
        """The same from an earlier mark() on, for what comes at a time of its own; the last match
        stays where it was."""
        return self._await(pattern, mark, timeout)

    def _await(self, pattern, since, timeout):
        expression = re.compile(pattern)
        deadline = time.monotonic() + timeout
        with self._change:
            begin = self._mark if since is None else since
            while True:
                match = expression.search(self._text, begin)
                if match:
                    return match
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the board ended" if self._ended else f"{timeout} s passed"
                    raise BoardError(
                        f"{why} waiting for {pattern!r}; console since the last match:\n"
                        + self._text[begin:]
                    )
                self._change.wait(left)

    def seen(self, since=0):
        """Everything printed so far (from character `since` on)."""
        with self._change:
            return self._text[since:]

    def mark(self):
        with self._change:
            return self._mark

    def send(self, line):
        self.keys(line + "\n")

    def keys(self, text):
        if self._terminal is not None:
            os.write(self._terminal, text.encode())
            return
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def reset_button(self):
        """Ctrl-T Ctrl-R on the terminal."""
        self.keys("\x14\x12")

    def cut_power(self):
        """The board has no time to do anything any more."""
        self.process.kill()
        self.wait()

    def wait(self, timeout=WAIT):
        """Waits for the end of the process; returns its exit status."""
        status = self.process.wait(timeout)
        self._reader.join(timeout)
        return status

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(WAIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(WAIT)
        if self._terminal is None:
            self.process.stdin.close()
        else:
            os.close(self._terminal)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def copy_flash(source, target):
    """Copies a flash file and the board state beside it."""
    shutil.copyfile(source, target)
    state = Path(f"{source}.state")
    if state.exists():
        shutil.copyfile(state, f"{target}.state")
    return Path(target)
