import { when } from "./grader-case";

const site = "front-end/softy-pinko-front-end";
const page = `${site}/index.html`;
const frontEndConf = `${site}.conf`;
const composeFile = "docker-compose.yml";
const textFile = "2-api-servers.txt";

/** Reading alone finds these; nothing is built. */
export const readable = [
  when("task0", "the folder is missing")
    .change((port) => port.move("task0", "task1"))
    .fails("folder", /^there is no folder task0$/, ""),
  when("task0", "the Dockerfile's name is in lower case")
    .move("Dockerfile", "dockerfile")
    .deviates("dockerfile", /^it is called dockerfile$/, "dockerfile"),
  when("task0", "the Dockerfile's name ends in txt")
    .move("Dockerfile", "Dockerfile.txt")
    .fails("dockerfile", /^Dockerfile\.txt is not called Dockerfile$/, "Dockerfile"),
  when("task3", "the folder's name begins with a capital letter")
    .change((port) => port.move("task3", "Task3"))
    .fails("folder", /^it is called Task3; the text has task3/),
  when("task0", "the Dockerfile has Windows line endings")
    .replace("Dockerfile", "\n", "\r\n")
    .deviates("dockerfile", /Windows line/, "Dockerfile"),
  when("task0", "nothing is upgraded")
    .replace("Dockerfile", " && : apt-get upgrade -y", "")
    .fails("upgrade", /^apt-get upgrade -y is missing$/, "Dockerfile"),
  when("task0", "the upgrade waits for a yes")
    .replace("Dockerfile", "upgrade -y", "upgrade")
    .fails("upgrade", /^apt-get upgrade asks/, "Dockerfile:2"),
  when("task2", "the site's folder is empty")
    .change((port, at) => port.empty(at(site)))
    .fails("site", /^it is empty/, site),
  when("task2", "the front-end is based on ubuntu")
    .replace("front-end/Dockerfile", "nginx:latest", "ubuntu")
    .fails("front-end-base", /^it is based on ubuntu$/, "front-end/Dockerfile:1"),
  when("task2", "the conf lacks a semicolon")
    .replace(frontEndConf, "9000;", "9000")
    .fails("conf", /^"listen" lacks its ";"$/, `${frontEndConf}:2`),
  when("task3", "the page has no element for the response")
    .replace(page, '<h1 id="dynamic-content"></h1>\n', "")
    .fails("heading", /^there are 0 elements with the id dynamic-content$/),
  when("task3", "the element for the response is after the headline")
    .replace(page, '<h1 id="dynamic-content"></h1>\n', "")
    .replace(page, "</h1>\n", '</h1>\n<h1 id="dynamic-content"></h1>\n')
    .deviates("heading", /after the headline$/, `${page}:6`),
  when("task3", "jQuery is not loaded")
    .replace(page, '<script src="jquery.min.js"></script>\n', "")
    .fails("script", /jQuery is not loaded/, `${page}:11`),
  when("task3", "no script requests /api/hello")
    .replace(page, "/api/hello", "/api/bye")
    .fails("script", /^no script .* \/api\/hello$/, page),
  when("task3", "the script requests the page's own server")
    .replace(page, "http://localhost:5252", "")
    .fails("script", /^it \w+ \/api\/hello$/, `${page}:12`),
  when("task4", "there is no compose file")
    .remove(composeFile)
    .fails("compose", /^there is no docker-compose\.yml$/, composeFile),
  when("task4", "the compose file's name ends in yaml")
    .move(composeFile, "docker-compose.yaml")
    .deviates("compose", /^it is called docker-compose\.yaml$/, "docker-compose.yaml"),
  when("task4", "the compose file's indentation is wrong")
    .replace(composeFile, "    image: softy-pinko-front", "   image: softy-pinko-front")
    .fails("compose", /^it is not valid YAML: /, `${composeFile}:14`),
  when("task4", "a service that is called daemon has an unknown key")
    .change((port, at) => port.append(at(composeFile), "\n  daemon: {imagee: x}\n"))
    .fails("compose", /imagee/),
  when("task4", "the ports of host and container do not match")
    .replace(composeFile, "9000:9000", "9000:80")
    .fails("ports", /9000→80.*nginx listens on 9000 \(task4\/.*:2\)$/, `${composeFile}:15`),
  when("task4", "an image's name overwrites a base image")
    .replace(composeFile, "softy-pinko-front-end:task4", "nginx:latest")
    .fails("images", /^image: nginx:latest overwrites the base image/, `${composeFile}:14`),
  when("task4", "no service has depends_on")
    .replace(composeFile, "    depends_on:\n      - back-end\n", "")
    .deviates("order", /^front-end has no depends_on$/, `${composeFile}:10`),
  when("task4", "the back-end has no Dockerfile")
    .remove("back-end/Dockerfile")
    .fails("dockerfile", /^there is no back-end\/Dockerfile$/, "back-end/Dockerfile"),
  when("task5", "the proxy is outside services")
    .replace(composeFile, "\n  proxy:\n    build:", "\nproxy:\n    build:")
    .fails("compose", /^proxy: .* outside services:$/, `${composeFile}:14`),
  when("task5", "the script still requests the back-end's port")
    .replace(page, "/api/hello", "http://localhost:5252/api/hello")
    .fails("script", /http:\/\/localhost:5252\/api\/hello$/, `${page}:12`),
  when("task5", "an upstream is not a service")
    .replace("proxy/proxy.conf", "http://back-end", "http://backend")
    .fails("upstreams", /`backend` .* back-end, front-end, proxy$/, "proxy/proxy.conf:9"),
  when("task5", "the proxy does not listen on the port that is published")
    .replace("proxy/proxy.conf", "listen 80", "listen 81")
    .fails("ports", /80→80.*nginx listens on 81$/, "proxy/proxy.conf:2"),
  when("task5", "proxy_pass strips the path")
    .replace("proxy/proxy.conf", "back-end:5252", "back-end:5252/")
    .fails("upstreams", /^`proxy_pass` ends in `\/`, which strips/, "proxy/proxy.conf:9"),
  when("task5", "no location is for the API")
    .replace("proxy/proxy.conf", "location /api", "location /app")
    .fails("upstreams", /^no location is for \/api/, "proxy/proxy.conf"),
  when("task5", "proxy.conf is copied to a place that nginx does not read")
    .replace("proxy/Dockerfile", "conf.d/default.conf", "proxy.conf")
    .fails("proxy-paths", /\/etc\/nginx\/proxy\.conf, where nginx/, "proxy/Dockerfile:2"),
  when("task5", "proxy.conf is copied next to nginx's default.conf")
    .replace("proxy/Dockerfile", "conf.d/default.conf", "conf.d/proxy.conf")
    .fails("proxy-paths", /nginx's own default\.conf/, "proxy/Dockerfile:2"),
  when("task5", "the API's port is published")
    .replace(composeFile, "back-end:task5", 'back-end:task5\n    ports: ["5252:5252"]')
    .fails("ports", /^back-end publishes 5252 on the host$/, `${composeFile}:7`),
  when("task5", "the API's port in its container is listed")
    .replace(composeFile, "back-end:task5", 'back-end:task5\n    ports: ["5252"]')
    .deviates("ports", /^back-end publishes 5252 at any free port/, `${composeFile}:7`),
  when("task5", "proxy.conf is copied to a path that is relative to another folder")
    .replace("proxy/Dockerfile", "COPY ./proxy.conf /", "WORKDIR /srv\nCOPY ./proxy.conf ")
    .fails(
      "proxy-paths",
      /to \/srv\/etc\/nginx\/conf\.d\/default\.conf, where/,
      "proxy/Dockerfile:3",
    ),
  when("task5", "the proxy has no Dockerfile")
    .remove("proxy/Dockerfile")
    .fails("proxy-dockerfile", /^there is no proxy\/Dockerfile$/, "proxy/Dockerfile"),
  when("task6", "a container_name prevents scaling")
    .replace(
      composeFile,
      "    image: softy-pinko-b",
      "    container_name: api\n    image: softy-pinko-b",
    )
    .fails("scalable", /^container_name on back-end/, `${composeFile}:6`),
  when("task6", "there is no 2-api-servers.txt")
    .remove(textFile)
    .fails("command-file", /^there is no 2-api-servers\.txt in task6$/, textFile),
  when("task6", "the command scales something that is not a service")
    .replace(textFile, "back-end", "backend")
    .fails("command-meaning", /^it scales backend/, `${textFile}:1`),
  when("task6", "the text file has Windows line endings")
    .replace(textFile, "\n", "\r\n")
    .deviates("command-bytes", /\\r\\n"$/, `${textFile}:1`),
];

/** Only a build or a running container shows these: one of each program at the same time. */
export const runnable = [
  when("task0", "the greeting lacks its comma")
    .replace("Dockerfile", "Hello, World!", "Hello World!")
    .fails("output", /^it prints "Hello World!"$/, "Dockerfile:3"),
  when("task1", "the API greets in other words, in another folder, and ignores Ctrl-C")
    .replace("Dockerfile", "/app", "/srv")
    .deviates("workdir", /^it is \/srv$/, "Dockerfile:4")
    .replace("api.js", "Hello, World!", "Hello World")
    .fails("hello", /^it \w+ "Hello World"$/, "api.js:5")
    .replace("api.js", "process.exit(0)", "undefined")
    .deviates("interrupt", /5 s/),
  when("task2", "the Dockerfile copies a missing file; the conf has no index")
    .replace("back-end/Dockerfile", "./api.js", "./app.js")
    .fails("build", /^it copies app\.js, which is not there$/, "back-end/Dockerfile:5")
    .replace(frontEndConf, "index index.html;", "index home.html;")
    .fails("page", /^it \w+ 403$/, `${frontEndConf}:5`),
  when("task2", "a command of the Dockerfile fails; nginx does not know a directive")
    .replace("back-end/Dockerfile", "WORKDIR", "RUN pipp install flask\nWORKDIR")
    .fails("build", /^`pipp install flask` fails: .*not found/, "back-end/Dockerfile:4")
    .replace(frontEndConf, "listen", "listn")
    .fails("front-end-port", /unknown directive "listn"$/, `${frontEndConf}:2`),
  when("task2", "the API listens on 127.0.0.1; the conf's root is another folder")
    .replace("back-end/api.js", '"0.0.0.0"', '"127.0.0.1"')
    .fails("port", /^it listens on 127\.0\.0\.1:5252/, "back-end/api.js:9")
    .replace(frontEndConf, "/var/www/html/softy", "/var/www/softy")
    .fails("page", /^it \w+ 404$/, `${frontEndConf}:4`),
  when("task2", "the API listens on port 5000; site and root are in another folder")
    .replace("back-end/api.js", "5252", "5000")
    .fails("port", /^it listens on port 5000, not 5252$/, "back-end/api.js:9")
    .replace("front-end/Dockerfile", "/var/www/html/softy-pinko-front-end", "/srv/site")
    .replace(frontEndConf, "/var/www/html/softy-pinko-front-end", "/srv/site")
    .deviates("paths", /no \/var\/www\/html\/softy-pinko.*index/, "front-end/Dockerfile:2"),
  when("task2", "the API crashes; the site is copied to another folder than the root")
    .replace("back-end/api.js", "node:http", "flask")
    .fails("port", /Cannot find module 'flask'/)
    .replace("front-end/Dockerfile", "/var/www/html/softy-pinko-front-end", "/var/www/html")
    .fails("paths", /it is copied to \/var\/www\/html$/, "front-end/Dockerfile:2"),
  when("task2", "the API never ends its response; the conf is copied where nginx does not read it")
    .replace("back-end/api.js", "response.end(", "response.write(")
    .fails("port", /5252, but .*timed out after 10 s$/)
    .replace("front-end/Dockerfile", "conf.d/default.conf", "sites-enabled/default")
    .fails("paths", /sites-enabled\/default, where nginx/, "front-end/Dockerfile:3"),
  when("task1", "the API has another path")
    .replace("api.js", "/api/hello", "/hello")
    .fails("hello", /^it \w+ 404$/),
  when("task3", "the API has no CORS; the conf is copied next to nginx's own")
    .replace("back-end/api.js", '"Access-Control-Allow-Origin", "*"', '"X-A", "b"')
    .fails("cors", /no Access-Control-Allow-Origin$/)
    .replace("front-end/Dockerfile", "conf.d/default.conf", "conf.d/site.conf")
    .deviates("paths", /copied to \/etc\/nginx\/conf\.d\/site\.conf$/, "front-end/Dockerfile:3"),
  when("task5", "proxy_pass has other ports than the servers")
    .replace("proxy/proxy.conf", "back-end:5252", "back-end:5000")
    .fails("hello", /502: back-end .* 5252, not 5000$/, "proxy/proxy.conf:9")
    .replace("proxy/proxy.conf", "front-end:9000", "front-end:80")
    .fails("page", /502: front-end .* 9000, not 80$/, "proxy/proxy.conf:5"),
  when("task5", "the API listens on 127.0.0.1; the front-end's root is another folder")
    .replace("back-end/api.js", '"0.0.0.0"', '"127.0.0.1"')
    .fails("hello", /502: .*127\.0\.0\.1:5252/, "back-end/api.js:10")
    .replace(frontEndConf, "/var/www/html/softy", "/var/www/softy")
    .fails("page", /^it \w+ 404$/, `${frontEndConf}:4`),
  when("task5", "the API crashes in the stack")
    .replace("back-end/api.js", "node:http", "flask")
    .fails("up", /^back-end .*Cannot find module 'flask'/),
];
