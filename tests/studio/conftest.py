"""The studio that a browser looks at, and what no page of it may do."""

import pytest

WIDE = (1280, 820)


@pytest.fixture(scope="module")
def server():
    from tests.studio.pages import Server

    running = Server().start()
    yield running
    running.kill()


@pytest.fixture
def visit(chromium):
    """Open a server's page; what it logs, raises or asks of anybody else fails the test.

    A browser logs each violation of the page's content security policy.
    """
    from tests.studio.pages import Studio

    contexts, wrong = [], []

    def opened(url, *, size=WIDE, scheme="light", address="", expected=(), **options):
        view = {"width": size[0], "height": size[1]}
        context = chromium.new_context(viewport=view, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: _note(request.url, url, wrong))
        page.on("console", lambda message: _listen(message.text, expected, wrong))
        page.goto(url + address)
        page.wait_for_selector("body:not([data-phase=loading])", timeout=60_000)
        return Studio(page)

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def _note(asked, url, wrong):
    if not asked.startswith((url, "data:", f"blob:{url}")):
        wrong.append(f"asked for {asked}")


def _listen(text, expected, wrong):
    if not any(part in text for part in expected):
        wrong.append(text)
