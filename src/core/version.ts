// The version of lbd: package.json, the deb and the API all carry this one.

export const VERSION = "0.1.0";
