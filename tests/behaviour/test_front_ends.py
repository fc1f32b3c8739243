"""Whoever shows what a session says is one object: a notebook, a terminal, a script, or another."""

import pytest

import rms_jupyter as rms
from rms_jupyter import opening
from rms_jupyter.session.front_end import ScriptFrontEnd


class Service(ScriptFrontEnd):
    """A front end that writes everything down."""

    here = "in this service"

    def __init__(self):
        self.seen = []
        self.namespace = {"name": "value"}

    def say(self, message):
        self.seen.append(("say", message))

    def announce(self, message):
        self.seen.append(("announce", message))

    def opened(self, session, by_itself):
        self.seen.append(("opened", session.path.name, by_itself))

    def show_hit(self, session, pipe, answer, figures_are_open):
        self.seen.append(("hit", pipe.name, session.messages_of(answer.task)))

    def displayed(self, resource):
        self.seen.append(("displayed", resource.content))


@pytest.fixture
def service():
    service = Service()
    opening.front_ends.append(lambda: service)
    yield service
    opening.front_ends.pop()


def test_a_front_end_is_told_everything(service, tmp_path):
    with rms.open(tmp_path / "a.rms") as session:

        @session.pipe
        def hello(name):
            print("hello", name)
            return name.upper()

        hello("you"), hello("you")
        session.place.tell("once", once="it"), session.place.tell("again", once="it")
        session.place.announce("now")
        session.register_pipe(len)("four")._repr_mimebundle_()
        assert session.place.namespace["name"] == "value"
    assert service.seen == [
        ("opened", "a.rms", False),
        ("hit", "hello", [["stdout", "hello you\n"]]),
        ("say", "once"),
        ("announce", "now"),
        ("displayed", 4),
    ]


def test_one_session_can_talk_elsewhere(s, service):
    with pytest.warns(rms.RmsWarning, match="to the script"):
        s.place.tell("to the script")
    s.talk_through(service)
    s.place.tell("to the service")
    assert service.seen == [("say", "to the service")]


def test_a_script_prints_again_what_was_printed(s, capsys):
    @s.pipe
    def hello():
        print("hello")

    hello(), hello()
    assert capsys.readouterr().out == "hello\nhello\n"
    with pytest.raises(rms.RmsError, match="needs a notebook"):
        s.front_end.show_panel(s)
