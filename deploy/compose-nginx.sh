#!/bin/sh
# Writes nginx's configuration inside its container: deploy/nginx.conf with the nodes by name.
# Changed at its lines marked "yours" it is used as it is changed; for TLS put the certificate at
# /etc/webinar/tls (deploy/tls on the machine).
set -eu

from=${WEBINAR_CONF:-/etc/webinar/nginx.conf}
to=${NGINX_CONF:-/etc/nginx/conf.d/default.conf}
log=${NGINX_LOG:-/dev/stdout}

sed -e "s|server 127\.0\.0\.1:8000 |server ${NODE_1:-web-1:8000} |" \
    -e "s|# server 10\.0\.0\.2:8000 |server ${NODE_2:-web-2:8000} |" \
    -e "s|/var/log/nginx/webinar\.log webinar [^;]*;|$log webinar;|" \
    "$from" >"$to"
