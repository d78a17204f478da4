"""The web processes of one server, behind nginx (deploy/nginx.conf): gunicorn -c this wsgi:app.

The clock is a process of its own: flask --app wsgi scheduler run.
"""

import os

bind = os.environ.get("BIND", "127.0.0.1:8000")
# One for each core; threads are for those who wait, on the database or a slow network.
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or (os.cpu_count() or 1)
worker_class = "gthread"
threads = 16
# nginx keeps its connections for 60 seconds; it must be the one that hangs up.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Requests that wait in line while every thread is busy: an audience reloads at the same second.
backlog = 2048
preload_app = False
# On a disk that is busy a worker's sign of life may come too late.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
forwarded_allow_ips = "127.0.0.1,::1"
