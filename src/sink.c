/* Passing facts to the visitor, within the work budget. */
#include "sink.h"

/* The work that a fact counts for, which covers what a caller does to keep it. */
enum { FACT_COST = 32 };

/* Use the budget for one fact. Return whether the fact may be passed on. */
static bool may_emit(const wk_cursor *source)
{
    return wk_use_budget(source, FACT_COST) && wk_ok(source->state);
}

/* Fail the scan if a callback returned nonzero. */
static void check_status(const wk_cursor *source, int status)
{
    if (status != 0) {
        wk_fail_here(source, WK_RESULT_STOPPED, 0);
    }
}

void wk_emit_library(const wk_cursor *source, wk_text name, wk_link link)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->library) {
        const wk_library library = {name, link};
        check_status(source, state->visitor->library(state->context, &library));
    }
}

void wk_emit_rpath(const wk_cursor *source, wk_text path, bool runpath)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->rpath) {
        const wk_rpath rpath = {path, runpath};
        check_status(source, state->visitor->rpath(state->context, &rpath));
    }
}

void wk_emit_version(const wk_cursor *source, const wk_version *version)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->version) {
        check_status(source, state->visitor->version(state->context, version));
    }
}

void wk_emit_definition(const wk_cursor *source, wk_text version)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->definition) {
        check_status(source, state->visitor->definition(state->context, &version));
    }
}

void wk_emit_import(const wk_cursor *source, const wk_import *import)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->import) {
        check_status(source, state->visitor->import(state->context, import));
    }
}

void wk_emit_export(const wk_cursor *source, const wk_text *parts, size_t count)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->export_name) {
        check_status(source, state->visitor->export_name(state->context, parts, count));
    }
}

void wk_emit_digest(const wk_cursor *source, const wk_digest *digest)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->digest) {
        check_status(source, state->visitor->digest(state->context, digest));
    }
}

void wk_emit_slice(const wk_cursor *source, const wk_slice *slice)
{
    const wk_state *state = source->state;
    if (may_emit(source) && state->visitor->slice) {
        check_status(source, state->visitor->slice(state->context, slice));
    }
}
