"""Looks ahead: reads candles from the Binance REST service, prints a forecast for each symbol, and serves the last ones.

    GET /health
    GET /forecast    {"BTCUSDT": {"last": …, "ewma": …, "forecast": …}, …}

The REST service may come later or go away; the next round tries again.
"""

import errno
import json
import os
import signal
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import urlopen

from ewma import forecast

STARTED = time.monotonic()
STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM}
TIMEOUT_S = 0.5

PORT = int(os.environ.get("PORT", "3003"))
INTERVAL_S = int(os.environ.get("INTERVAL_MS", "1000")) / 1000
BINANCE_URL = os.environ.get("BINANCE_URL", "http://127.0.0.1:3002")
SYMBOLS = os.environ.get("SYMBOLS", "BTCUSDT,ETHUSDT").split(",")
ALPHA = float(os.environ.get("ALPHA", "0.3"))

forecasts: dict[str, dict[str, float]] = {}


def log(level: str, message: str) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stream = sys.stdout if level == "INFO" else sys.stderr
    # One write per line: print() writes the newline apart, and another thread's line could come between.
    stream.write(f"{now} {level:5} {message}\n")
    stream.flush()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/health":
            uptime = round(time.monotonic() - STARTED, 3)
            self.reply(200, {"status": "ok", "service": "prediction-model", "pid": os.getpid(), "uptime": uptime})
        elif self.path == "/forecast":
            self.reply(200, forecasts)
        else:
            self.reply(404, {"error": "not found", "routes": ["GET /health", "GET /forecast"]})

    def reply(self, status: int, body: object) -> None:
        content = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Requests are not logged."""


def predict(symbol: str) -> None:
    with urlopen(f"{BINANCE_URL}/candles?symbol={symbol}&limit=50", timeout=TIMEOUT_S) as response:
        candles = json.load(response)["candles"]
    result = forecast([candle["close"] for candle in candles], ALPHA)
    forecasts[symbol] = result
    log("INFO", f"forecast {symbol} {result['last']} -> {result['forecast']} (ewma {result['ewma']})")


def predict_until(stop: threading.Event) -> None:
    while True:
        for symbol in SYMBOLS:
            try:
                predict(symbol)
            except OSError as error:
                log("WARN", f"no forecast for {symbol}: {getattr(error, 'reason', error)}")
        if stop.wait(INTERVAL_S):
            return


def main() -> int:
    # Blocked before any thread starts, so that the signal waits for sigwait below instead of interrupting anything.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "")
        log("ERROR", f"cannot start prediction-model: {code}: {error.strerror} 127.0.0.1:{PORT}")
        return 1
    log("INFO", f"listening on http://127.0.0.1:{PORT}")

    stop = threading.Event()
    # serve_forever looks every poll_interval whether it shall end; the default of 0.5 s would delay the stop.
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}),
        threading.Thread(target=predict_until, args=[stop]),
    ]
    for thread in threads:
        thread.start()

    received = signal.sigwait(STOP_SIGNALS)
    log("INFO", f"stopping: {signal.Signals(received).name}")
    stop.set()
    server.shutdown()
    for thread in threads:
        thread.join()
    server.server_close()
    log("INFO", "stopped")
    return 0


def die(failure: threading.ExceptHookArgs) -> None:
    """Ends the whole process when a thread of it fails, so that the process manager notices."""
    sys.excepthook(failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    os._exit(1)


if __name__ == "__main__":
    threading.excepthook = die
    sys.exit(main())
