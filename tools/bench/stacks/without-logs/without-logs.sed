# nginx
s/^( *access_log) .*/\1 off;/
# HAProxy; what is logged on a target of its own, such as its start, stays
/^  log global$/d
/^  option httplog$/d
# Caddy
/^\tlog \{$/,/^\t\}$/d
# production's API
s/^(exports\.)?app\.use\(\(request, response, next\) => \{$/&\n    return next();/
# task6's API
/morgan.*"common"/d
# Flask's development server
s/^app = Flask.*/&\nimport logging; logging.getLogger("werkzeug").disabled = True/
# gunicorn
s/^accesslog = .*/accesslog = None/
