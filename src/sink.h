/* Passing facts to the visitor.
 *
 * Each function passes one fact. It first uses the part of the budget that covers what a caller does to keep
 * the fact. It passes nothing once the scan has failed. If the callback returns nonzero, the scan fails with
 * WK_RESULT_STOPPED at the position of `source`. */
#ifndef WK_SINK_H
#define WK_SINK_H

#include "reader.h"

void wk_emit_library(const wk_cursor *source, wk_text name, wk_link link);
void wk_emit_rpath(const wk_cursor *source, wk_text path, bool runpath);
void wk_emit_version(const wk_cursor *source, const wk_version *version);
void wk_emit_definition(const wk_cursor *source, wk_text version);
void wk_emit_import(const wk_cursor *source, const wk_import *import);
void wk_emit_export(const wk_cursor *source, const wk_text *parts, size_t count);
void wk_emit_digest(const wk_cursor *source, const wk_digest *digest);
void wk_emit_slice(const wk_cursor *source, const wk_slice *slice);

#endif
