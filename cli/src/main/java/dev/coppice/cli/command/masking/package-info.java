/** Commands on masking rules, anonymized branches and masked roles. */
@NullMarked
package dev.coppice.cli.command.masking;

import org.jspecify.annotations.NullMarked;
