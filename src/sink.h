/* How facts reach the visitor. */
#ifndef WK_SINK_H
#define WK_SINK_H

#include "reader.h"

/* Each hands one fact on, and pays for what a caller must do to keep it. */
void wk_emit_library(const wk_cursor *source, wk_text name, wk_link link);
void wk_emit_rpath(const wk_cursor *source, wk_text path, bool runpath);
void wk_emit_version(const wk_cursor *source, wk_text library, wk_text version);
void wk_emit_import(const wk_cursor *source, const wk_import *import);
void wk_emit_export(const wk_cursor *source, const wk_text *parts, size_t count);
void wk_emit_slice(const wk_cursor *source, const wk_slice *slice);

#endif
