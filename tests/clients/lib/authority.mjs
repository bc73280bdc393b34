// A certificate authority that only the tests' servers trust.

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "./processes.mjs";

const openssl = (...args) => promisify(execFile)("openssl", args);
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

export class Authority {
    static async found() {
        const authority = new Authority(temporaryFolder("echorift-authority"));
        const { file, key } = authority;
        await openssl("req", "-x509", ...NEW_KEY, "-subj", "/CN=The calls' authority", "-keyout", key, "-out", file);
        return authority;
    }

    constructor(folder) {
        Object.assign(this, { folder, file: join(folder, "authority.pem"), key: join(folder, "authority.key.pem") });
    }

    /** A certificate for this host name, and its key. */
    async certify(name) {
        const [certificate, key, request, extensions] = ["pem", "key.pem", "csr", "ext"].map((ending) =>
            join(this.folder, `${name}.${ending}`),
        );
        await openssl("req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
        await writeFile(extensions, `subjectAltName = DNS:${name}\nextendedKeyUsage = serverAuth\n`);
        const issuer = ["-CA", this.file, "-CAkey", this.key, "-CAcreateserial", "-extfile", extensions];
        await openssl("x509", "-req", "-in", request, ...issuer, "-out", certificate);
        return { certificate, key };
    }
}
