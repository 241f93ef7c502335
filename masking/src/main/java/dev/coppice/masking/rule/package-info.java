/**
 * Masking rules, and the plan that they become for the tables of one branch.
 *
 * <p>What must stay true: a rule that could break what the database promises (uniqueness, keys, NOT NULL, partition bounds) or that
 * cannot hide what it names is refused when it is declared, with the reason; a plan never changes, and says under which key and
 * which version of the code it masks.
 *
 * <p>This package knows the catalog by {@link dev.coppice.masking.rule.TableDefinition} only, and nothing of where rules are stored.
 */
@NullMarked
package dev.coppice.masking.rule;

import org.jspecify.annotations.NullMarked;
