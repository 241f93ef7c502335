/** Routes of masking rules, anonymized branches and masked roles. */
@NullMarked
package dev.coppice.control.api.masking;

import org.jspecify.annotations.NullMarked;
