"""Hears so many messages below bench/ with paho-mqtt, parses each, and prints what that took.

python paho_subscriber.py PORT MESSAGES

Prints `ready` once it is subscribed, then one JSON document. Gives up when nothing comes for ten seconds.
"""
import json
import sys
import threading
import time

import paho.mqtt.client as mqtt

port, wanted = int(sys.argv[1]), int(sys.argv[2])
state = {"heard": 0, "sum": 0.0, "last": time.monotonic(), "begin": None}
done = threading.Event()


def on_connect(client, *_):
    client.subscribe("bench/#", qos=0)


def on_subscribe(*_):
    state["begin"] = (time.process_time(), time.monotonic())
    print("ready", flush=True)


def on_message(_client, _data, message):
    payload = json.loads(message.payload)
    state["sum"] += payload["v"]
    state["heard"] += 1
    state["last"] = time.monotonic()
    if state["heard"] >= wanted:
        done.set()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="peer-paho")
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port, keepalive=60)
client.loop_start()
while not done.wait(0.5):
    if time.monotonic() - state["last"] > 10.0:
        break
cpu, wall = state["begin"] or (time.process_time(), time.monotonic())
figures = {"messages": state["heard"], "cpu_s": time.process_time() - cpu, "wall_s": state["last"] - wall}
print(json.dumps(figures), flush=True)
client.loop_stop()
