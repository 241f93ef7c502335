/**
 * Reads everything that a timeline keeps and says what is wrong with it: checksums of journal, layers and WAL, the manifest,
 * positions that must fit together, files that belong to nobody.
 *
 * <p>What must stay true: it changes nothing; damage in one place does not hide damage in another; what a killed process or
 * an interrupted collection leaves behind in the regular course of things is not called damage. It knows files and formats,
 * not how a timeline is read or written.
 */
@NullMarked
package dev.coppice.storage.verify;

import org.jspecify.annotations.NullMarked;
