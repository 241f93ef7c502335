/** Functions on text: pseudonyms, invented names and addresses, numbers with check digits, and the lists of words they draw from. */
@NullMarked
package dev.coppice.masking.function.text;

import org.jspecify.annotations.NullMarked;
