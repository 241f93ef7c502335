/**
 * Masking at the page boundary: a heap page of a parent goes in, the page that an anonymized branch may see comes out.
 *
 * <p>{@link dev.coppice.masking.rule.MaskPlan} is the way in: rules, checked against the tables they name and frozen with a
 * key and a code version. From it come the {@link dev.coppice.masking.page.HeapPageMasker}s that rewrite pages.
 *
 * <p>What must stay true: everything here is a pure function of bytes, so the same page under the same plan is the same
 * masked page for ever; a masked value fits where the original was; nothing of an original survives outside the columns that
 * are declared unmasked; what cannot be masked safely is a {@link dev.coppice.masking.MaskingException}, never a page.
 *
 * <p>This module does no I/O and knows nothing of timelines, branches or computes. Any change of what a function returns for
 * a given value is a new {@link dev.coppice.masking.rule.MaskPlan#CODE_VERSION}.
 */
@NullMarked
package dev.coppice.masking;

import org.jspecify.annotations.NullMarked;
