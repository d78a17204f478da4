"""The least a Flask application can do: what every other figure is divided by."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "hello, world"
