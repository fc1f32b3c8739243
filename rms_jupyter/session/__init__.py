"""An open store with its pipes: the facade.  Each method is one call to the room that does it."""

from __future__ import annotations

import os

from rms_jupyter.figures.formats import Formats
from rms_jupyter.session.asking import Asking
from rms_jupyter.session.calling import Calling
from rms_jupyter.session.clearing import Clearing
from rms_jupyter.session.commanding import Commanding
from rms_jupyter.session.copying import Copying
from rms_jupyter.session.core import Core
from rms_jupyter.session.curating import Curating
from rms_jupyter.session.drawing import Drawing
from rms_jupyter.session.explaining import Explaining
from rms_jupyter.session.flowing import Flowing
from rms_jupyter.session.importing import Importing
from rms_jupyter.session.parts import done_by
from rms_jupyter.session.planning import Planning
from rms_jupyter.session.ruling import Ruling
from rms_jupyter.session.showing import Showing
from rms_jupyter.session.templating import Templating
from rms_jupyter.session.tending import Tending

_FOR_USERS = {
    *("path", "read_only", "notebook", "budget", "closed", "close", "refresh", "tidy", "problems"),
    *("pipe", "register_pipe", "register_module", "register_file", "file_from_path", "rmsimport", "shell", "pipes"),
    *("plan", "run", "stop", "rerun", "flow", "rule", "rules", "template", "templates", "template_from"),
    *("sql", "tables", "find", "tasks", "files", "figures", "results", "runs", "logs", "status", "last_run"),
    *("lineage", "notebook_graph", "params", "frames_behind", "why", "diff", "show", "export"),
    *("accept", "accepted", "mark", "check", "trust", "is_trusted", "delete", "undo_delete", "clear", "gc"),
    *("set_budget", "reduce_size", "backup", "push", "pull", "ahead_and_behind", "import_template"),
    *("track", "tracked", "work", "save_figures", "task_of_figure"),
}


class Session(Core):
    """An open store. Made by `rms_jupyter.open`.

    Parameters
    ----------
    path : Path
        The store's directory, made if it is not there.
    read_only : bool
        Look only: hits are answered, other calls run without being recorded.
    notebook : str
        Who works with it, for the record.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
    >>> add_ = s.register_pipe(lambda i, j=2: i + j, name="add")
    >>> add_(1).content, add_(1, 2).task.hit
    (3, True)
    >>> s.sql("SELECT pipe, args FROM tasks").fetchall()
    [('add', '{"i":1,"j":2}')]
    >>> s.close()
    """

    def __init__(self, path: str | os.PathLike[str], read_only: bool = False, notebook: str = "") -> None:
        super().__init__(path, read_only, notebook)
        self._calling = calling = Calling(self)
        self.call = calling.call  # Of every call of a pipe: without a step between.
        self._importing, self._commanding = Importing(self, calling), Commanding(self, calling)
        self._planning = planning = Planning(self)
        self._flowing, self._templating = Flowing(self), Templating(self)
        self._ruling, self._curating = Ruling(self, calling), Curating(self, planning)
        self._explaining = explaining = Explaining(self)
        self._asking, self._showing = Asking(self, explaining), Showing(self, explaining)
        self._drawing, self._tending = Drawing(self), Tending(self)
        self._clearing, self._copying = Clearing(self), Copying(self)

    def close(self) -> None:
        """Finish the journal and let go of the store; one that has a budget is cleared out before."""
        if not self.closed:
            self._clearing.end()
        if not self.store.is_closed:  # What an interrupt has left of it is done the next time.
            for service in list(self.services.values()):
                service.stop()
            self._planning.end()
            super().close()

    def __dir__(self) -> list[str]:
        """What is completed behind ``s.``: what users call, and not what the rooms of this package do."""
        return sorted(_FOR_USERS | {name for name in super().__dir__() if name.startswith("_")})

    # Functions as pipes, and calls

    register_pipe = done_by("_calling", Calling.register_pipe)
    pipe = done_by("_calling", Calling.pipe)
    define = done_by("_calling", Calling.define)
    news_of_definitions = done_by("_calling", Calling.news_of_definitions)
    run = done_by("_calling", Calling.run)
    lookup = done_by("_calling", Calling.lookup)
    messages_of = done_by("_calling", Calling.messages_of)

    # Modules

    register_module = done_by("_importing", Importing.register_module)
    rmsimport = done_by("_importing", Importing.rmsimport)

    # Commands

    shell = done_by("_commanding", Commanding.shell)

    # Plans and runs

    plan = done_by("_planning", Planning.plan)
    begin_run = done_by("_planning", Planning.begin_run)
    last_run = done_by("_planning", Planning.last_run)
    keep_running = done_by("_planning", Planning.keep_running)
    stop = done_by("_planning", Planning.stop)
    stop_runs = done_by("_planning", Planning.stop_runs)
    going_on = done_by("_planning", Planning.going_on)
    explain_plan = done_by("_planning", Planning.explain_plan)
    result_of = done_by("_planning", Planning.result_of)
    given_by = done_by("_planning", Planning.given_by)
    note = done_by("_planning", Planning.note)

    # Flows

    flow = done_by("_flowing", Flowing.flow)
    pipe_of = done_by("_flowing", Flowing.pipe_of)
    keep_flow = done_by("_flowing", Flowing.keep_flow)
    flows_on_record = done_by("_flowing", Flowing.flows_on_record)
    version_on_record = done_by("_flowing", Flowing.version_on_record)
    code_on_record = done_by("_flowing", Flowing.code_on_record)
    products_on_record = done_by("_flowing", Flowing.products_on_record)
    logs_of_version = done_by("_flowing", Flowing.logs_of_version)
    version_now = done_by("_flowing", Flowing.version_now)
    flow_folder = done_by("_flowing", Flowing.flow_folder)
    is_trusted = done_by("_flowing", Flowing.is_trusted)
    files_of = done_by("_flowing", Flowing.files_of)
    files_of_tasks = done_by("_flowing", Flowing.files_of_tasks)
    versions_of = done_by("_flowing", Flowing.versions_of)
    tags_of = done_by("_flowing", Flowing.tags_of)
    compare_versions = done_by("_flowing", Flowing.compare_versions)
    delete_tasks = done_by("_flowing", Flowing.delete_tasks)

    # Templates

    template = done_by("_templating", Templating.template)
    templates = done_by("_templating", Templating.templates)
    import_template = done_by("_templating", Templating.import_template)
    template_from = done_by("_templating", Templating.template_from)
    keep_template = done_by("_templating", Templating.keep_template)

    # Rules

    rule = done_by("_ruling", Ruling.rule)
    rules = done_by("_ruling", Ruling.rules)
    rules_table = done_by("_ruling", Ruling.rules_table)
    rule_statuses = done_by("_ruling", Ruling.rule_statuses)
    this_cell = done_by("_ruling", Ruling.this_cell)
    pipe_of_rule = done_by("_ruling", Ruling.pipe_of_rule)
    keep_rule = done_by("_ruling", Ruling.keep_rule)
    forget_rule = done_by("_ruling", Ruling.forget_rule)
    show_rule = done_by("_ruling", Ruling.show_rule)
    plan_of_rule = done_by("_ruling", Ruling.plan_of_rule)
    identify_call = done_by("_ruling", Ruling.identify_call)
    claim_call = done_by("_ruling", Ruling.claim_call)
    let_go_of_call = done_by("_ruling", Ruling.let_go_of_call)
    outcome_of_call = done_by("_ruling", Ruling.outcome_of_call)
    pipe_that_wrote = done_by("_ruling", Ruling.pipe_that_wrote)
    result = done_by("_ruling", Ruling.result)

    # Tracked scripts and notebooks

    track = done_by("_curating", Curating.track)
    tracked = done_by("_curating", Curating.tracked)
    work = done_by("_curating", Curating.work)
    choose_tracked = done_by("_curating", Curating.choose_tracked)
    say_ended = done_by("_curating", Curating.say_ended)
    overview_of = done_by("_curating", Curating.overview_of)
    run_entries = done_by("_curating", Curating.run_entries)
    queue_entries = done_by("_curating", Curating.queue_entries)
    cancel_entries = done_by("_curating", Curating.cancel_entries)
    run_aside = done_by("_curating", Curating.run_aside)
    keep_working = done_by("_curating", Curating.keep_working)
    run_configs = done_by("_curating", Curating.run_configs)
    queued_entries = done_by("_curating", Curating.queued_entries)
    untrack_entries = done_by("_curating", Curating.untrack_entries)

    # Figures

    save_figures = done_by("_drawing", Drawing.save_figures)
    task_of_figure = done_by("_drawing", Drawing.task_of_figure)
    saved_figures = done_by("_drawing", Drawing.saved_figures)
    saved_with_tasks = done_by("_drawing", Drawing.saved_with_tasks)
    pipe_of_task = done_by("_drawing", Drawing.pipe_of_task)

    # Questions about all

    sql = done_by("_asking", Asking.sql)
    tables = done_by("_asking", Asking.tables)
    names_on_record = done_by("_asking", Asking.names_on_record)
    find = done_by("_asking", Asking.find)
    tasks = done_by("_asking", Asking.tasks)
    files = done_by("_asking", Asking.files)
    results = done_by("_asking", Asking.results)
    figures_where = done_by("_asking", Asking.figures_where)
    matches = done_by("_asking", Asking.matches)
    runs = done_by("_asking", Asking.runs)
    figures = done_by("_asking", Asking.figures)
    status = done_by("_asking", Asking.status)
    elsewhere = done_by("_asking", Asking.elsewhere)
    page = done_by("_asking", Asking.page)
    ids_called = done_by("_asking", Asking.ids_called)
    find_copied = done_by("_asking", Asking.find_copied)
    pipe_versions = done_by("_asking", Asking.pipe_versions)

    # Questions about one

    lineage = done_by("_explaining", Explaining.lineage)
    notebook_graph = done_by("_explaining", Explaining.notebook_graph)
    params = done_by("_explaining", Explaining.params)
    frames_behind = done_by("_explaining", Explaining.frames_behind)
    details = done_by("_explaining", Explaining.details)
    why = done_by("_explaining", Explaining.why)
    diff = done_by("_explaining", Explaining.diff)
    cells = done_by("_explaining", Explaining.cells)
    call_name = done_by("_explaining", Explaining.call_name)
    show = done_by("_showing", Showing.show)
    logs = done_by("_showing", Showing.logs)
    logs_of_running = done_by("_showing", Showing.logs_of_running)
    made_in = done_by("_showing", Showing.made_in)
    export = done_by("_showing", Showing.export)

    # What counts

    accept = done_by("_tending", Tending.accept)
    accepted = done_by("_tending", Tending.accepted)
    mark = done_by("_tending", Tending.mark)
    rerun = done_by("_tending", Tending.rerun)
    check = done_by("_tending", Tending.check)
    trust = done_by("_tending", Tending.trust)

    # What is kept

    delete = done_by("_clearing", Clearing.delete)
    undo_delete = done_by("_clearing", Clearing.undo_delete)
    gc = done_by("_clearing", Clearing.gc)
    set_budget = done_by("_clearing", Clearing.set_budget)
    mind_budget = done_by("_clearing", Clearing.mind_budget)
    reduce_size = done_by("_clearing", Clearing.reduce_size)
    clear = done_by("_clearing", Clearing.clear)

    # Copies

    push = done_by("_copying", Copying.push)
    pull = done_by("_copying", Copying.pull)
    backup = done_by("_copying", Copying.backup)
    ahead_and_behind = done_by("_copying", Copying.ahead_and_behind)

    @property
    def figure_formats(self) -> Formats:
        """The formats in which the figures that calls make are saved; none if they are not."""
        return self._drawing.figure_formats

    @property
    def figure_styles(self) -> tuple[str, ...]:
        """The names of the styles in which those of matplotlib's are saved beside as they are."""
        return self._drawing.figure_styles
