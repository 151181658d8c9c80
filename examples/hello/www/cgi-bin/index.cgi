#!/bin/sh
# The start page: what this container is, and how the request for the page reached it.

escape () { printf '%s' "$1" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'; }

# One row for each header; "$1" is the class of the rows, the rest are options of grep that choose them.
headers () {
  class=$1; shift
  env | grep '^HTTP_' | grep "$@" '^HTTP_\(X_FORWARDED_.*\|FORWARDED\|VIA\)=' | sort | while IFS='=' read -r name value; do
    name=$(printf '%s' "${name#HTTP_}" | tr 'A-Z_' 'a-z-')
    printf '<tr class="%s"><th>%s</th><td>%s</td></tr>\n' "$class" "$(escape "$name")" "$(escape "$value")"
  done
}

if [ -n "$HTTP_X_FORWARDED_FOR" ]; then
  route='<span class="dot"></span>reached through the dockAPI proxy'
  path='<b>you</b><i></i><b class="on">dockAPI</b><i></i><b>this container</b>'
else
  route='reached directly'
  path='<b>you</b><i></i><b>this container</b>'
fi

printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
cat <<HTML
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hello from $(escape "$(hostname)")</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="style.css">
</head>
<body>
<main>
<p class="badge">$route</p>
<h1>Hello from your container</h1>
<p class="lead">One HTTP call started it, and this page already had a URL.</p>
<p class="path">$path</p>
<dl>
<div><dt>hostname</dt><dd>$(escape "$(hostname)")</dd></div>
<div><dt>up since</dt><dd>$(date -u -r /proc/1 '+%H:%M:%S UTC')</dd></div>
<div><dt>this request</dt><dd>$(escape "$REQUEST_METHOD $REQUEST_URI")</dd></div>
</dl>
<h2>The headers that arrived</h2>
<div class="scroll"><table>
$(headers proxy -e)
$(headers own -v -e)
</table></div>
<p class="foot"><a href="cgi-bin/request">the same as JSON</a><a href="healthz">health</a></p>
</main>
</body>
</html>
HTML
