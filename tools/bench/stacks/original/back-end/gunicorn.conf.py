# gunicorn reads the file of this name from its working directory
from os import cpu_count

bind = "0.0.0.0:5252"

# One for each core: Python code runs in one thread of a process at a time, so that a process fills
# no more than one. The threads are for requests that wait.
workers = cpu_count()
worker_class = "gthread"
threads = 4

# Longer than nginx keeps an idle connection to a server (60 s): it is to be the one that closes
keepalive = 75

# One line for each request
accesslog = "-"

# Workers prove that they live through a file, which a busy disk could hold up
worker_tmp_dir = "/dev/shm"
