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
    from asyncio import base_events, events, runners, tasks, unix_events
    from signal import SIGINT, default_int_handler
    from signal import getsignal as get_handler
    from signal import signal as set_handler

    monotonic, min_, pause, print_ = time.monotonic, min, time.sleep, print
    OWN_FILES = {
        f.__code__.co_filename
        for f in (base_events.BaseEventLoop._run_once, events.Handle._run, lambda: None)
    }
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
            # An interrupt ends this run, also where the session's loop is turning around it.
            with handler(default_int_handler, instead_of=SessionLoop.current_handler), no_loop():
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
        # What SIGINT calls while a session's loop turns.
        current_handler = None

        def __init__(self, wake, describe):
            super().__init__()
            self._wake = wake
            self._describe = describe
            # When JavaScript will call `turn`.
            self._due = math.inf
            self._runs = True
            # Tasks whose exception no code has asked for yet.
            self._failed = []
            self.runs_cell = False
            self._interrupted = False
            SessionLoop.current_handler = self._on_interrupt

        def turn(self):
            """Runs what is ready."""
            self._due = -math.inf
            try:
                with handler(self.current_handler, instead_of=default_int_handler):
                    self._run_ready()
            except KeyboardInterrupt:
                self._cancel_busy()
            except SystemExit:
                # The task that raised it holds it as its outcome.
                pass
            finally:
                self._rearm()

        def _run_ready(self):
            end = monotonic() + TURN_S
            while True:
                self._run_once()
                if self._interrupted:
                    self._cancel_busy()
                if not self._ready or monotonic() > end:
                    break
            if self._failed and not self.runs_cell and not self._ready:
                self.report_failures()

        def begin_cell(self):
            self.runs_cell = True
            # An interrupt may have met the beginning or the end of a turn.
            if get_handler(SIGINT) is self.current_handler:
                set_handler(SIGINT, default_int_handler)
            self._rearm()

        def _rearm(self):
            self._stopping = False
            self._due = math.inf
            self._arm_next()

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
                    report = self._describe(task.exception())
                    print_(f"{task.get_name()} failed:\n{report}", file=sys.stderr)

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

        def _on_interrupt(self, number, frame):
            """
            Raises in the code of a task. In the loop's own code an exception would lose a callback, and with
            it a task that could then neither go on nor end.
            """
            if frame is not None and frame.f_code.co_filename not in OWN_FILES:
                raise KeyboardInterrupt
            self._interrupted = True

        def _cancel_busy(self):
            """The task that computes too long is among those that wait for nothing."""
            self._interrupted = False
            for task in asyncio.all_tasks(self):
                if task._fut_waiter is None:
                    task.cancel()

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
    def handler(of_interrupts, instead_of):
        """Within it, SIGINT calls `of_interrupts`, unless a cell has set a handler of its own."""
        if get_handler(SIGINT) is not instead_of:
            yield
            return
        set_handler(SIGINT, of_interrupts)
        try:
            yield
        finally:
            if get_handler(SIGINT) is of_interrupts:
                set_handler(SIGINT, instead_of)

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

    def install(wake, pause_, describe):
        """
        Makes a session's loop the one that runs. `wake(ms)` has `turn` called after that time, and forgets
        an earlier call of it; `pause_(s)` blocks without computing; `describe` makes a text of an exception.
        """
        nonlocal pause
        pause = pause_
        time.sleep = sleep
        loop = SessionLoop(wake, describe)
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
