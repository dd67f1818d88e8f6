/* The parsers, one for each format. */
#ifndef WK_PARSER_H
#define WK_PARSER_H

#include "reader.h"

/* Parse one slice. `file` is a window on exactly that slice, with its position at the start. The caller sets
 * offset, size and fat in `facts`. Failures are recorded in the state of the scan. */
void wk_parse_elf(wk_cursor file, wk_slice *facts);
void wk_parse_macho(wk_cursor file, wk_slice *facts);
void wk_parse_pe(wk_cursor file, wk_slice *facts);

/* Parse all slices of a fat Mach-O file. */
void wk_parse_fat_macho(wk_cursor file);

#endif
