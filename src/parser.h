/* What the parsers share: one function for each format. */
#ifndef WK_PARSER_H
#define WK_PARSER_H

#include "reader.h"

/* Each parses one slice. `file` is a window on exactly that slice, at its start; `facts` has offset, size and
 * fat set. Failures are left in the scan's state. */
void wk_parse_elf(wk_cursor file, wk_slice *facts);
void wk_parse_macho(wk_cursor file, wk_slice *facts);
void wk_parse_pe(wk_cursor file, wk_slice *facts);
void wk_parse_fat_macho(wk_cursor file);

#endif
