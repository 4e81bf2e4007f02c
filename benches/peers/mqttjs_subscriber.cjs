// Hears so many messages below bench/ with mqtt.js, parses each, and prints what that took.
//
// node mqttjs_subscriber.cjs INSTALLED PORT MESSAGES
//
// Prints `ready` once it is subscribed, then one JSON document. Gives up when nothing comes for ten seconds.
const path = require("node:path");
const [, , installed, port, wanted] = process.argv;
const mqtt = require(path.join(installed, "node_modules", "mqtt"));

let heard = 0;
let sum = 0;
let last = performance.now();
let begin = null;
let cpu = null;

const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: "peer-mqttjs", reconnectPeriod: 0 });
client.on("connect", () => {
  client.subscribe("bench/#", { qos: 0 }, () => {
    begin = performance.now();
    cpu = process.cpuUsage();
    console.log("ready");
  });
});
client.on("message", (_topic, payload) => {
  sum += JSON.parse(payload.toString()).v;
  heard += 1;
  last = performance.now();
  if (heard >= Number(wanted)) end();
});

function end() {
  const used = process.cpuUsage(cpu);
  const figures = { messages: heard, cpu_s: (used.user + used.system) / 1e6, wall_s: (last - begin) / 1000 };
  process.stdout.write(JSON.stringify(figures) + "\n", () => process.exit(0));
}

setInterval(() => {
  if (performance.now() - last > 10000) end();
}, 500);
