/** Anonymized branches and masked roles: the timelines that hide, the rules, and the audit of both. */
@NullMarked
package dev.coppice.control.anonymize;

import org.jspecify.annotations.NullMarked;
