# The event loop of a session. It always runs, as a notebook's does, so that cells can start tasks and await
# at their top level. Pyodide's own loop leaves all waiting to JavaScript, and therefore cannot run a
# coroutine to its end within a call (`asyncio.run`, `run_until_complete`). This loop has its own queue and
# can. JavaScript only wakes it: it calls `turn` when something in the queue is due.


def _make_event_loop():
    import asyncio
    import contextlib
    import errno
    import functools
    import math
    import sys
    import time
    import traceback
    from asyncio import base_events, events, runners, tasks, unix_events

    monotonic, min_, pause, print_ = time.monotonic, min, time.sleep, print
    SLICE_S = 0.02
    # How long `turn` goes on while callbacks are ready, before JavaScript gets its turn.
    TURN_S = 0.01
    ENDLESS = "Nothing is scheduled that could end this wait, so it would never end."

    def wait(seconds, ready=()):
        """Sleeps, and ends early when `ready` holds something. An interrupt is noticed after each slice."""
        end = monotonic() + seconds
        while not ready and (left := end - monotonic()) > 0:
            pause(min_(left, SLICE_S))

    def sleep(seconds):
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        wait(seconds)

    class Waiter:
        """Takes the place of a selector. Without sockets, time is all that a loop can wait for."""

        def __init__(self, ready):
            self.blocking = False
            self._ready = ready

        def select(self, timeout):
            if self.blocking and timeout is None:
                raise RuntimeError(ENDLESS)
            if self.blocking and timeout > 0:
                wait(timeout, self._ready)
            return ()

    class Loop(base_events.BaseEventLoop):
        """May be run within another: its caller, and that one's loop, wait meanwhile."""

        def __init__(self):
            super().__init__()
            self._selector = Waiter(self._ready)

        def run_forever(self):
            with self._running():
                while True:
                    self._run_once()
                    if self._stopping:
                        break

        def run_until_complete(self, future):
            is_new = not asyncio.isfuture(future)
            future = asyncio.ensure_future(future, loop=self)
            if is_new:
                # What goes wrong is raised here, so a warning about the task would say nothing new.
                future._log_destroy_pending = False
            try:
                with self._running():
                    while not future.done():
                        self._run_once()
                        if self._stopping:
                            break
            except BaseException:
                if is_new and future.done() and not future.cancelled():
                    future.exception()
                raise
            if not future.done():
                raise RuntimeError("Event loop stopped before Future completed.")
            return future.result()

        def run_in_executor(self, executor, func, *args):
            """Calls the function at once, since there are no threads."""
            future = self.create_future()
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)
            return future

        @contextlib.contextmanager
        def _running(self):
            self._check_closed()
            was_blocking, self._selector.blocking = self._selector.blocking, True
            hooks = sys.get_asyncgen_hooks()
            with no_loop():
                events._set_running_loop(self)
                sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
                try:
                    yield
                finally:
                    sys.set_asyncgen_hooks(*hooks)
                    self._stopping = False
                    self._selector.blocking = was_blocking

        async def _make_subprocess_transport(self, *args, **kwargs):
            raise NotImplementedError("no subprocess can be started in this sandbox")

        async def create_connection(self, *args, **kwargs):
            raise OSError(errno.EHOSTUNREACH, "no connection can be opened in this sandbox")

        create_server = create_datagram_endpoint = create_connection
        create_unix_connection = create_unix_server = create_connection

        def _process_events(self, event_list):
            pass

        def _write_to_self(self):
            pass

    class SessionLoop(Loop):
        _runs = False

        def __init__(self, wake):
            super().__init__()
            self._wake = wake
            # When JavaScript will call `turn`.
            self._due = math.inf
            self._runs = True
            # Tasks whose exception no code has asked for yet.
            self._failed = []
            self.runs_cell = False

        def turn(self):
            """Runs what is ready."""
            self._due = -math.inf
            end = monotonic() + TURN_S
            try:
                while True:
                    self._run_once()
                    if not self._ready or monotonic() > end:
                        break
            except SystemExit:
                # The task that raised it holds it as its outcome.
                pass
            except KeyboardInterrupt:
                # It may have met this loop and not the task that computes too long. That one is among those
                # that wait for nothing.
                for task in asyncio.all_tasks(self):
                    if task._fut_waiter is None:
                        task.cancel()
            finally:
                self._stopping = False
                self._due = math.inf
                self._arm_next()
                if self._failed and not self.runs_cell and not self._ready:
                    self.report_failures()

        def create_task(self, *args, **kwargs):
            task = super().create_task(*args, **kwargs)
            task.add_done_callback(self._note_failure)
            return task

        def report_failures(self):
            """
            Prints the exceptions of tasks that no code has asked for, when a cell ends and between cells. A
            variable may hold the task, so that Python itself would never say it.
            """
            failed, self._failed = self._failed, []
            for task in failed:
                if task._log_traceback:
                    task._log_traceback = False
                    report = traceback.format_exception(task.exception())
                    print_(f"{task.get_name()} failed:", "".join(report), sep="\n", file=sys.stderr)

        def call_soon(self, callback, *args, context=None):
            handle = super().call_soon(callback, *args, context=context)
            self._arm(0)
            return handle

        def call_at(self, when, callback, *args, context=None):
            handle = super().call_at(when, callback, *args, context=context)
            self._arm(when)
            return handle

        def is_running(self):
            return self._runs

        def close(self):
            """Scripts close their loop at their end; later cells still need this one."""

        def _write_to_self(self):
            self._arm(0)

        @contextlib.contextmanager
        def _running(self):
            try:
                with super()._running():
                    yield
            finally:
                self._arm_next()

        def _note_failure(self, task):
            if not task.cancelled() and task._log_traceback:
                self._failed.append(task)

        def _arm(self, when):
            if when < self._due and not self._selector.blocking:
                self._due = when
                self._wake(max(0, when - monotonic()) * 1000)

        def _arm_next(self):
            if self._ready:
                self._arm(0)
            elif self._scheduled:
                self._arm(self._scheduled[0].when())

    class Policy(events._AbstractEventLoopPolicy):
        def __init__(self, session):
            self._session = self._current = session

        def get_event_loop(self):
            return self._current or self._session

        def set_event_loop(self, loop):
            self._current = loop

        def new_event_loop(self):
            return Loop()

    @contextlib.contextmanager
    def no_loop():
        """Within it, no loop runs and no task is the current one."""
        loop = events._get_running_loop()
        task = None if loop is None else tasks._swap_current_task(loop, None)
        events._set_running_loop(None)
        try:
            yield
        finally:
            events._set_running_loop(loop)
            if task is not None:
                tasks._swap_current_task(loop, task)

    def outside(function):
        """For what refuses to be called where a loop runs, as `asyncio.run` does."""

        @functools.wraps(function)
        def call(*args, **kwargs):
            with no_loop():
                return function(*args, **kwargs)

        return call

    def install(wake, pause_):
        """
        Makes a session's loop the one that runs. `wake(ms)` has `turn` called after that time, and forgets
        an earlier call of it; `pause_(s)` blocks without computing.
        """
        nonlocal pause
        pause = pause_
        time.sleep = sleep
        loop = SessionLoop(wake)
        events._set_event_loop_policy(Policy(loop))
        events._set_running_loop(loop)
        sys.set_asyncgen_hooks(loop._asyncgen_firstiter_hook, loop._asyncgen_finalizer_hook)
        asyncio.run = outside(runners.run)
        runners.Runner.run = outside(runners.Runner.run)
        # The loops that scripts name have a selector, which needs sockets.
        asyncio.SelectorEventLoop = asyncio.EventLoop = Loop
        unix_events._UnixDefaultEventLoopPolicy._loop_factory = Loop
        return loop

    return install


_install_event_loop = _make_event_loop()
