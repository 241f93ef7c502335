package dev.coppice.control.anonymize;

import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.NamedRules;
import dev.coppice.control.catalog.rows.NamedRulesRows;
import dev.coppice.control.ephemeral.MaskedViews;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.RuleCheck;
import dev.coppice.control.masking.RuleSet;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;

/** The masking rules that a project keeps under names. Changing them changes no branch: a branch has a copy. */
public final class NamedRuleSets {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");
    private static final int MAX_SETS = 1000;

    private final Catalog catalog;
    private final Finder finder;
    private final MaskedViews views;
    private final Clock clock;

    public NamedRuleSets(Catalog catalog, Finder finder, MaskedViews views, Clock clock) {
        this.catalog = catalog;
        this.finder = finder;
        this.views = views;
        this.clock = clock;
    }

    public List<NamedRules> all(String projectId) {
        finder.project(projectId);
        return catalog.transaction(connection -> NamedRulesRows.all(connection, projectId));
    }

    /** @throws ControlException NOT_FOUND */
    public NamedRules find(String projectId, String name) {
        finder.project(projectId);
        return catalog.transaction(connection -> NamedRulesRows.find(connection, projectId, name))
                .orElseThrow(() -> notFound(name));
    }

    /**
     * Stores rules under a name, in place of others that had it.
     *
     * @throws ControlException INVALID for the name, and for rules that cannot be understood
     */
    public NamedRules put(String projectId, String name, RuleSet rules) {
        finder.project(projectId);
        if (!NAME.matcher(name).matches()) {
            throw ControlException.invalid("the name of masking rules must be of 1 to 63 letters a-z, digits, - and _,"
                    + " and begin with a letter or digit");
        }
        RuleCheck.understood(rules, "masking_rules");
        Instant now = clock.instant();
        NamedRules stored = catalog.transaction(connection -> {
            boolean full = NamedRulesRows.find(connection, projectId, name).isEmpty()
                    && NamedRulesRows.all(connection, projectId).size() >= MAX_SETS;
            if (full) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE, "a project can keep " + MAX_SETS + " sets of rules");
            }
            NamedRulesRows.put(connection, new NamedRules(projectId, name, rules.json(), now, now));
            return NamedRulesRows.find(connection, projectId, name).orElseThrow();
        });
        // Whoever is masked by them sees the new ones from the next login on, and nothing by the old ones any more.
        views.endMadeBy(projectId, name);
        return stored;
    }

    /** @throws ControlException NOT_FOUND */
    public NamedRules delete(String projectId, String name) {
        NamedRules rules = find(projectId, name);
        if (!catalog.transaction(connection -> NamedRulesRows.delete(connection, projectId, name))) {
            throw notFound(name);
        }
        views.endMadeBy(projectId, name);
        return rules;
    }

    private static ControlException notFound(String name) {
        return ControlException.notFound("the project has no masking rules called \"" + name + "\"");
    }
}
