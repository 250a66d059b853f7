# The same api.py, served by gunicorn
FROM ubuntu:latest
RUN apt-get update \
    && apt-get upgrade -y \
    && apt-get install -y --no-install-recommends \
        gunicorn python3 python3-flask python3-flask-cors \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY ./api.py ./gunicorn.conf.py ./

EXPOSE 5252
CMD ["gunicorn", "api:app"]
