# gunicorn reads a file of this name from its working directory
from os import cpu_count

bind = "0.0.0.0:5252"

# One for each core: a process runs Python code in one thread at a time (GIL). The other threads wait
# for I/O.
workers = cpu_count()
worker_class = "gthread"
threads = 4

# Longer than nginx keeps idle connections (60 s), so that nginx closes them
keepalive = 75

# Log each request to stdout
accesslog = "-"

# The heartbeat file of each worker: in memory, because a busy disk would delay it
worker_tmp_dir = "/dev/shm"
