"""The application: its numbers inside, what the system says to it: files to open, and to end."""

from __future__ import annotations

import ctypes
import locale
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSocketNotifier, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication

# Of a terminal, of one that is closed, of the system at a shutdown. Windows has only the first.
ENDINGS = ("SIGINT", "SIGHUP", "SIGTERM")


class Application(QApplication):
    """``files_opened``: what macOS opens with it, or drops on its icon."""

    files_opened = Signal(object)  # list[Path]

    def __init__(self, arguments: Sequence[str]) -> None:
        super().__init__(arguments)
        # Qt takes over the system's way of writing numbers for all of C. With a comma in it, what
        # FFmpeg says of loudness ("-14,2") is no number to anyone; QLocale does not need it.
        locale.setlocale(locale.LC_NUMERIC, "C")

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QFileOpenEvent) and event.file():
            self.files_opened.emit([Path(event.file())])
            return True
        return super().event(event)

    def quit_on_signals(self) -> None:
        """Where the system asks the program to end, the window is closed, and saves what it keeps.

        Python acts on a signal when Python runs next, which in Qt's loop may be never: so a signal
        writes into a socket that the loop listens to.
        """
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (getattr(signal, name) for name in ENDINGS if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
                signal.signal(number, lambda *_: None)
        notifier = QSocketNotifier(self._woken.fileno(), QSocketNotifier.Type.Read, self)
        notifier.activated.connect(self._signalled)

    def outlive_its_display(self) -> None:
        """Where the X server is gone, Qt ends its loop, so that all can be saved; Xlib, which Qt
        uses as well, ends the program at once, and in the midst of what Qt does.
        """
        if self.platformName() != "xcb":
            return
        from PySide6.QtGui import QNativeInterface  # not on every system

        native, xlib = self.nativeInterface(), ctypes.CDLL("libX11.so.6")
        if isinstance(native, QNativeInterface.QX11Application):
            pointer = ctypes.c_void_p
            # To do nothing, twice. Kept, since Xlib does not keep them.
            no_error = ctypes.CFUNCTYPE(ctypes.c_int, pointer)(lambda _: 0)
            no_exit = ctypes.CFUNCTYPE(None, pointer, pointer)(lambda *_: None)
            self._nothing = no_error, no_exit
            xlib.XSetIOErrorHandler(no_error)
            if hasattr(xlib, "XSetIOErrorExitHandler"):  # since 2020
                xlib.XSetIOErrorExitHandler(pointer(native.display()), no_exit, None)

    def _signalled(self) -> None:
        self._woken.recv(1024)
        self.quit()
