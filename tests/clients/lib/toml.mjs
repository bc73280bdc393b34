// Settings as the server's configuration file has them.

/** Tables of keys, and lists of tables. Texts, numbers and booleans are written alike in JSON and TOML. */
export function toml(settings, path = []) {
    const plain = [];
    const tables = [];
    for (const [key, value] of Object.entries(settings)) {
        const name = [...path, JSON.stringify(key)];
        if (isTable(value)) tables.push(`[${name.join(".")}]\n${toml(value, name)}`);
        else if (Array.isArray(value) && value.some(isTable)) {
            for (const item of value) tables.push(`[[${name.join(".")}]]\n${toml(item, name)}`);
        } else plain.push(`${JSON.stringify(key)} = ${JSON.stringify(value)}\n`);
    }
    return [...plain, ...tables].join("");
}

const isTable = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
