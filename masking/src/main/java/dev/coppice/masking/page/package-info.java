/**
 * Heap pages in, masked heap pages out, for the page and tuple formats of Postgres 14 to 18.
 *
 * <p>What must stay true: the output is built from zeroes, of the page header, the line pointers and the masked tuples only, since holes
 * and gaps keep bytes of former rows; every tuple with storage is masked, whatever its visibility; a tuple's offset number,
 * transactions and HOT chain stay, and it never grows; what does not parse to its last byte is a {@link
 * dev.coppice.masking.page.MalformedPageException}.
 *
 * <p>This package knows columns by number and masks by their interface; it knows nothing of rules, keys' origin or files.
 */
@NullMarked
package dev.coppice.masking.page;

import org.jspecify.annotations.NullMarked;
