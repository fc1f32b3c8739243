"""Cells of SQL are coloured as SQL, and completed with what the store holds."""

from __future__ import annotations

from playwright.sync_api import expect

LOADED = "%load_ext rms_jupyter\n%rms open demo.rms"
CALLED = "%%rms\ndef align(reads, k=15):\n    return reads\naligned = align('a')"
QUERY = """%%rms sql found <<
-- those that don't end
SELECT t.pipe, count(*) AS n FROM tasks t
WHERE t.status = 'done' AND pipe IN ('align') and 5 > $k
GROUP BY ALL"""
COLOUR = """([index, text]) => {
    const cell = window.jupyterapp.shell.currentWidget.content.widgets[index].node;
    const walk = document.createTreeWalker(cell.querySelector(".cm-content"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const { data, parentElement } = walk.currentNode;
        if (data.includes(text)) {
            const { color, fontStyle } = getComputedStyle(parentElement);
            return [parentElement.className, color, fontStyle];
        }
    }
}"""


def colour(lab, index, text):
    """The classes around a piece of text, and its colour."""
    return lab.got(lambda: lab.page.evaluate(COLOUR, [index, text]), f"{text} is drawn")


def test_a_body_of_sql_is_coloured_as_sql(lab):
    lab.open(QUERY, QUERY.replace("%%rms sql", "%%other sql"), "for x in []:\n    'text'  # comment")
    lab.cell(0).locator(".rms-plain").first.wait_for()
    lab.until(lambda: colour(lab, 2, "for") != colour(lab, 2, "x"), "Python is coloured")
    plain = colour(lab, 2, "x")
    keyword, string, comment = colour(lab, 2, "for"), colour(lab, 2, "'text'"), colour(lab, 2, "# comment")
    for word in ("SELECT", "FROM", "WHERE", "AND", "and", "GROUP"):
        assert colour(lab, 0, word)[1:] == keyword[1:], word
    assert colour(lab, 0, "'done'")[1] == string[1]
    assert colour(lab, 0, "those that don")[1:] == colour(lab, 0, "t end")[1:] == comment[1:]
    assert colour(lab, 0, "align")[1] == string[1] and colour(lab, 0, "pipe")[1] == plain[1]
    assert "rms-plain" not in colour(lab, 0, "%%")[0]
    assert lab.cell(1).locator(".rms-plain").count() == 0


def test_colours_follow_the_text(lab):
    lab.open("SELECT 1", "%%rms sql\nSELECT 1")
    lab.cell(1).locator(".rms-plain").first.wait_for()
    assert lab.cell(0).locator(".rms-plain").count() == 0
    lab.edit_mode(0)
    lab.page.keyboard.press("Control+Home")
    lab.page.keyboard.type("%%rms sql")
    lab.page.keyboard.press("Enter")
    lab.cell(0).locator(".rms-plain").first.wait_for()
    lab.page.keyboard.press("ArrowUp")
    lab.page.keyboard.press("Delete")
    lab.cell(0).locator(".rms-plain").first.wait_for(state="detached")


def test_a_query_is_completed_where_one_types(lab):
    offers = {
        "SELECT * FROM ta|": "tasks",
        "SELECT sec| FROM tasks": "seconds",
        "SELECT * FROM tasks WHERE pipe = 'al|": "align",
        "SELECT * FROM params WHERE name = 'rea|": "reads",
    }
    lab.open(LOADED, CALLED, *[f"%%rms sql\n{query.replace('|', '')}" for query in offers])
    lab.run(0, 1)
    for index, (query, offered) in enumerate(offers.items(), start=2):
        lab.edit_mode(index)
        lab.page.keyboard.press("Control+End")
        for _ in query.partition("|")[2]:
            lab.page.keyboard.press("ArrowLeft")
        lab.page.keyboard.press("Tab")
        source = f"window.jupyterapp.shell.currentWidget.content.widgets[{index}].model.sharedModel.getSource()"
        items = lab.page.locator(".jp-Completer-item", has_text=offered)
        lab.until(lambda: offered in lab.page.evaluate(source) or items.count(), f"{offered} is offered")  # noqa: B023
        lab.page.keyboard.press("Escape")


def test_pictures(lab):
    lab.open(QUERY)
    lab.cell(0).locator(".rms-plain").first.wait_for()
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(f"sql-{theme}", of=lab.cell(0))


def test_an_answer_scrolls_and_is_sorted_by_a_column(lab):
    query = (
        "%%rms sql\nSELECT range AS n, -range % 7 AS left_over, if(range % 2 = 0, 'even', NULL) AS kind FROM range(200)"
    )
    lab.open(LOADED, query)
    lab.run(0, 1)
    answer = lab.cell(1).locator(".rms-answer")
    rows = answer.locator("tbody tr")
    expect(rows).to_have_count(200)
    assert answer.evaluate("node => node.scrollHeight > 2 * node.clientHeight")

    def first():
        return [cell.strip() for cell in rows.first.locator("th, td").all_inner_texts()]

    def head(name):
        return answer.get_by_role("columnheader", name=name, exact=True)

    head("left_over").click()
    assert head("left_over").get_attribute("aria-sort") == "ascending" and first() == ["6", "6", "-6", "even"]
    head("left_over").press("Enter")
    assert head("left_over").get_attribute("aria-sort") == "descending" and first()[2] == "0"
    head("kind").click()
    assert first()[3] == "even" and rows.last.locator("td").last.inner_text().strip() == ""
    head("kind").click(), head("kind").click()
    assert first() == ["0", "0", "0", "even"] and head("kind").get_attribute("aria-sort") is None
    answer.evaluate("node => node.scrollTop = 500")
    head("n").click()
    for theme in ("light", "dark"):
        lab.theme(theme)
        lab.picture(f"answer-{theme}", of=lab.cell(1))
        assert not lab.faults(answer)
