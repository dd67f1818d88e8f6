/* How facts are handed on to the visitor. */
#include "sink.h"

/* What a fact costs, for what a caller must do to keep it. */
enum { FACT_COST = 32 };

static bool may_tell(const wk_cursor *source)
{
    return wk_charge(source, FACT_COST) && wk_ok(source->state);
}

static void told(const wk_cursor *source, int answer)
{
    if (answer != 0) {
        wk_fail_here(source, WK_STOPPED, 0);
    }
}

void wk_tell_library(const wk_cursor *source, wk_text name, wk_link link)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->library) {
        const wk_library library = {name, link};
        told(source, state->visitor->library(state->context, &library));
    }
}

void wk_tell_rpath(const wk_cursor *source, wk_text path, bool runpath)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->rpath) {
        const wk_rpath rpath = {path, runpath};
        told(source, state->visitor->rpath(state->context, &rpath));
    }
}

void wk_tell_version(const wk_cursor *source, wk_text library, wk_text version)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->version) {
        const wk_version asked = {library, version};
        told(source, state->visitor->version(state->context, &asked));
    }
}

void wk_tell_import(const wk_cursor *source, const wk_import *import)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->import) {
        told(source, state->visitor->import(state->context, import));
    }
}

void wk_tell_export(const wk_cursor *source, const wk_text *parts, size_t count)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->export_name) {
        told(source, state->visitor->export_name(state->context, parts, count));
    }
}

void wk_tell_slice(const wk_cursor *source, const wk_slice *slice)
{
    const wk_state *state = source->state;
    if (may_tell(source) && state->visitor->slice) {
        told(source, state->visitor->slice(state->context, slice));
    }
}
