/* The code signature of Mach-O files. Layouts and constants follow XNU's osfmk/kern/cs_blobs.h, and the rules
 * its bsd/kern/ubc_subr.c, which accepts or refuses the signature before a file is mapped. */
#include "macho.h"
#include "sink.h"

static const uint32_t MAGIC_SIGNATURE = 0xfade0cc0;
static const uint32_t MAGIC_DIRECTORY = 0xfade0c02;
enum { SLOT_DIRECTORY = 0, SLOT_LAST_SPECIAL = 0xfff, SLOT_ALTERNATE = 0x1000, SLOT_LAST_ALTERNATE = 0x1004 };
enum { HASH_SHA1 = 1, HASH_SHA256 = 2, HASH_SHA256_TRUNCATED = 3, HASH_SHA384 = 4 };
enum { VERSION_SCATTER = 0x20100, VERSION_LIMIT_64 = 0x20300 };
enum { INDEX_ENTRY = 8, BLOB_HEADER = 8, DIRECTORY_HEADER = 44, SHIFT_4K = 12, SHIFT_16K = 14 };

static const char DAMAGED[] = "its code signature is damaged";
static const char OTHER_SIZE[] = "its code signature is for a file of another size";

/* A code directory: the digests of all pages, and of other blobs of the signature. */
typedef struct directory {
    uint32_t version;
    uint32_t hashes; /* offset of the digest of the first page; those of other blobs come before it */
    uint32_t special_count, page_count;
    uint64_t limit; /* size of the bytes that the pages make up */
    uint8_t digest_size, type, page_shift;
    uint32_t scatter; /* offset of a list of ranges, which replaces the limit; 0 if there is none */
} directory;

/* Return the name of a hash, and the size of its digests; NULL if the kernel knows no such hash. */
static const char *hash_name(uint8_t type, uint32_t *digest_size)
{
    static const struct {
        const char *name;
        uint32_t size;
    } HASHES[] = {{NULL, 0}, {"sha1", 20}, {"sha256", 32}, {"sha256", 20}, {"sha384", 48}};
    if (type >= sizeof HASHES / sizeof HASHES[0]) {
        return NULL;
    }
    *digest_size = HASHES[type].size;
    return HASHES[type].name;
}

/* Return the blob at `offset` of a signature, or an empty window if it does not fit in there. */
static wk_cursor blob_at(const wk_cursor *signature, uint32_t offset)
{
    wk_cursor blob = *signature;
    blob.at = 0;
    blob.size = 0;
    if (offset > signature->size || signature->size - offset < BLOB_HEADER) {
        return blob;
    }
    wk_cursor header = wk_rest(signature, offset, signature->what);
    (void)wk_u32(&header); /* magic number */
    const uint32_t size = wk_u32(&header);
    return size < BLOB_HEADER || size > header.size ? blob
                                                    : wk_window(signature, offset, size, signature->what);
}

static directory read_directory(wk_cursor blob)
{
    directory d = {0};
    wk_skip(&blob, BLOB_HEADER);
    d.version = wk_u32(&blob);
    wk_skip(&blob, 4); /* flags */
    d.hashes = wk_u32(&blob);
    wk_skip(&blob, 4); /* identifier */
    d.special_count = wk_u32(&blob);
    d.page_count = wk_u32(&blob);
    d.limit = wk_u32(&blob);
    d.digest_size = wk_u8(&blob);
    d.type = wk_u8(&blob);
    (void)wk_u8(&blob); /* platform */
    d.page_shift = wk_u8(&blob);
    wk_skip(&blob, 4); /* spare */
    if (d.version >= VERSION_SCATTER && blob.size - blob.at >= 4) {
        d.scatter = wk_u32(&blob);
    }
    if (d.version >= VERSION_LIMIT_64 && blob.size - blob.at >= 16) {
        wk_skip(&blob, 8); /* team, spare */
        const uint64_t limit = wk_u64(&blob);
        d.limit = limit != 0 ? limit : d.limit;
    }
    return d;
}

/* Return why the kernel refuses a code directory of `size` bytes, or NULL if it accepts it. */
static const char *directory_problem(const wk_macho *macho, const directory *d, size_t size)
{
    uint32_t digest_size = 0;
    const bool large_pages = macho->facts->arch_number == WK_MACHO_CPU_ARM64 && d->page_shift == SHIFT_16K;
    const bool fits = hash_name(d->type, &digest_size) != NULL && d->digest_size == digest_size &&
                      d->hashes <= size && d->hashes / digest_size >= d->special_count &&
                      (size - d->hashes) / digest_size >= d->page_count;
    if (!fits || (d->page_shift != SHIFT_4K && !large_pages)) {
        return DAMAGED;
    }
    const uint64_t page = (uint64_t)1 << d->page_shift;
    const uint64_t pages = d->limit / page + (d->limit % page != 0);
    const bool complete =
        d->limit <= macho->file.size && pages <= d->page_count && pages * page >= macho->signature_offset;
    return complete || d->scatter != 0 ? NULL : OTHER_SIZE;
}

static void emit_pages(const wk_macho *macho, const directory *d, uint64_t at)
{
    wk_digest digest = {0};
    digest.algorithm = hash_name(d->type, &digest.digest_size);
    digest.chunk = (uint32_t)1 << d->page_shift;
    digest.size = d->limit;
    digest.digests = at + d->hashes;
    if (d->scatter == 0 && d->limit > 0) {
        wk_emit_digest(&macho->file, &digest);
    }
}

/* Emit the digest of another blob of the signature, which counts backwards from that of the first page. */
static void emit_blob(const wk_macho *macho, const directory *d, uint64_t at, uint32_t slot,
                      const wk_cursor *blob)
{
    wk_digest digest = {0};
    digest.algorithm = hash_name(d->type, &digest.digest_size);
    digest.chunk = (uint32_t)blob->size;
    digest.size = blob->size;
    digest.offset = (uint64_t)(blob->data - macho->file.data);
    digest.digests = at + d->hashes - (uint64_t)slot * digest.digest_size;
    wk_emit_digest(&macho->file, &digest);
}

/* Emit what one code directory signs: the pages, and the blobs that the index of the signature lists. */
static void emit_directory(const wk_macho *macho, const wk_cursor *signature, wk_cursor index,
                           const wk_cursor *blob)
{
    const directory d = read_directory(*blob);
    const uint64_t at = (uint64_t)(blob->data - macho->file.data);
    emit_pages(macho, &d, at);
    index.at = 0;
    while (index.at < index.size && wk_ok(index.state) && wk_use_budget(&index, INDEX_ENTRY)) {
        const uint32_t slot = wk_u32(&index);
        const wk_cursor other = blob_at(signature, wk_u32(&index));
        if (slot > SLOT_DIRECTORY && slot <= SLOT_LAST_SPECIAL && slot <= d.special_count) {
            emit_blob(macho, &d, at, slot, &other);
        }
    }
}

static bool is_directory(uint32_t slot)
{
    return slot == SLOT_DIRECTORY || (slot >= SLOT_ALTERNATE && slot <= SLOT_LAST_ALTERNATE);
}

/* Return why the kernel refuses a blob that is a code directory; `hashes` has a bit for each hash seen. */
static const char *check_directory(const wk_macho *macho, wk_cursor blob, unsigned *hashes)
{
    wk_cursor start = blob;
    if (blob.size < DIRECTORY_HEADER || wk_u32(&start) != MAGIC_DIRECTORY) {
        return DAMAGED;
    }
    const directory d = read_directory(blob);
    const char *problem = directory_problem(macho, &d, blob.size);
    if (problem == NULL && (*hashes >> d.type & 1) != 0) {
        problem = "its code signature has two code directories of one hash";
    }
    *hashes |= problem == NULL ? 1u << d.type : 0u;
    return problem;
}

/* Check all blobs of a signature. Return why the kernel refuses it, or NULL. */
static const char *check_index(const wk_macho *macho, const wk_cursor *signature, wk_cursor index)
{
    unsigned hashes = 0;
    const char *problem = NULL;
    while (index.at < index.size && problem == NULL && wk_ok(index.state)) {
        const uint32_t slot = wk_u32(&index);
        const wk_cursor blob = blob_at(signature, wk_u32(&index));
        problem = blob.size == 0 ? DAMAGED : NULL;
        if (problem == NULL && is_directory(slot)) {
            problem = check_directory(macho, blob, &hashes);
        }
    }
    return problem == NULL && hashes == 0 ? "its code signature has no code directory" : problem;
}

/* Check a signature that consists of several blobs, and emit what they sign. */
static const char *read_blobs(const wk_macho *macho, wk_cursor signature)
{
    wk_skip(&signature, BLOB_HEADER);
    const uint32_t count = signature.size >= 12 ? wk_u32(&signature) : 0;
    if (signature.size < 12 || count > (signature.size - 12) / INDEX_ENTRY) {
        return DAMAGED;
    }
    wk_cursor index = wk_table(&signature, 12, count, INDEX_ENTRY, signature.what);
    const char *problem = check_index(macho, &signature, index);
    while (problem == NULL && index.at < index.size && wk_ok(index.state)) {
        const uint32_t slot = wk_u32(&index);
        const wk_cursor blob = blob_at(&signature, wk_u32(&index));
        if (is_directory(slot)) {
            emit_directory(macho, &signature, index, &blob);
        }
    }
    return problem;
}

void wk_parse_macho_signature(wk_macho *macho)
{
    wk_cursor whole =
        wk_window(&macho->file, macho->signature_offset, macho->signature_size, "Mach-O code signature");
    whole.big = true; /* in files of either byte order */
    whole.wide = false;
    if (whole.size == 0) {
        return; /* dyld takes the file as unsigned */
    }
    const wk_cursor signature = blob_at(&whole, 0);
    wk_cursor start = signature;
    const uint32_t magic = start.size >= 4 ? wk_u32(&start) : 0;
    unsigned hashes = 0;
    const char *problem = DAMAGED;
    if (magic == MAGIC_SIGNATURE) {
        problem = read_blobs(macho, signature);
    } else if (magic == MAGIC_DIRECTORY) {
        problem = check_directory(macho, signature, &hashes);
        if (problem == NULL) {
            const wk_cursor none = wk_window(&signature, 0, 0, signature.what);
            emit_directory(macho, &signature, none, &signature);
        }
    }
    macho->facts->is_signed = WK_TRISTATE_YES;
    /* For iOS, the whole app is signed later. */
    if (macho->facts->os_number <= WK_MACHO_PLATFORM_MACOS) {
        wk_macho_refuse(macho, problem);
    }
}
