/**
 * Finds columns that probably hold personal data, by their names, their types and a sample of their values, and proposes functions.
 *
 * <p>A suggestion is a guess: what is not suggested may be personal all the same. Who calls it reads the samples, and bounds them.
 */
@NullMarked
package dev.coppice.masking.suggest;

import org.jspecify.annotations.NullMarked;
