/**
 * A request as code that runs. Pure.
 *
 * Each snippet takes the token from the environment, so that none ends up in a file or a shell's history, and needs
 * nothing beyond its language, but for Rust, whose standard library has no HTTP.
 */

export interface Request {
  method: string;
  /** The whole address, encoded. */
  url: string;
  headers: [string, string][];
  body: string;
}

export const LANGUAGES = ["curl", "Python", "JavaScript", "C#", "Go", "PowerShell", "Rust"] as const;
export type Language = (typeof LANGUAGES)[number];

const TOKEN = "TENANTWATCH_TOKEN";

export function snippet(language: Language, request: Request): string {
  switch (language) {
    case "curl": return curl(request);
    case "Python": return python(request);
    case "JavaScript": return javascript(request);
    case "C#": return csharp(request);
    case "Go": return go(request);
    case "PowerShell": return powershell(request);
    case "Rust": return rust(request);
  }
}

/** A text as JSON writes it, which Python, JavaScript, C#, Go and Rust read alike as long as it is printable. */
const double = (text: string) => JSON.stringify(text);
/** In Rust braces are free in literals, but `\u0041` is written otherwise; control characters do not occur here. */
const shell = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
/** PowerShell takes the quotes of print for quotes too, in code and so in texts. */
const power = (text: string) => `'${text.replace(/['\u2018-\u201b]/g, "$&$&")}'`;

function curl({ method, url, headers, body }: Request): string {
  return [
    `curl ${method === "GET" ? "" : `-X ${method} `}${shell(url)}`,
    `-H "Authorization: Bearer $${TOKEN}"`,
    ...headers.map(([name, value]) => `-H ${shell(`${name}: ${value}`)}`),
    ...(body === "" ? [] : [`--data-raw ${shell(body)}`]),
  ].join(" \\\n  ");
}

function python({ method, url, headers, body }: Request): string {
  const all = [`"Authorization": "Bearer " + os.environ["${TOKEN}"],`, ...headers.map(([name, value]) => `${double(name)}: ${double(value)},`)];
  return `import os
import urllib.request

request = urllib.request.Request(
    ${double(url)},
    method=${double(method)},${body === "" ? "" : `\n    data=${double(body)}.encode(),`}
    headers={
        ${all.join("\n        ")}
    },
)
with urllib.request.urlopen(request) as response:
    print(response.status)
    print(response.read().decode())
`;
}

function javascript({ method, url, headers, body }: Request): string {
  const all = ["authorization: `Bearer ${process.env." + TOKEN + "}`,", ...headers.map(([name, value]) => `${double(name)}: ${double(value)},`)];
  return `// Node 18 or later, as a module (.mjs)
const response = await fetch(${double(url)}, {
  method: ${double(method)},
  headers: {
    ${all.join("\n    ")}
  },${body === "" ? "" : `\n  body: ${double(body)},`}
});
console.log(response.status);
console.log(await response.text());
`;
}

/** Headers that describe the body belong to it in some libraries. */
const isOfBody = ([name]: [string, string]) => name.toLowerCase() === "content-type";

function csharp({ method, url, headers, body }: Request): string {
  const type = headers.find(isOfBody)?.[1] ?? "application/json";
  const others = headers.filter((header) => !isOfBody(header));
  return `using System.Net.Http.Headers;
using System.Text;

using var client = new HttpClient();
using var request = new HttpRequestMessage(new HttpMethod(${double(method)}), ${double(url)});
request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("${TOKEN}"));
${others.map(([name, value]) => `request.Headers.TryAddWithoutValidation(${double(name)}, ${double(value)});\n`).join("")}${body === "" ? "" : `request.Content = new StringContent(${double(body)}, Encoding.UTF8, ${double(type.split(";")[0] ?? type)});\n`}using var response = await client.SendAsync(request);
Console.WriteLine((int)response.StatusCode);
Console.WriteLine(await response.Content.ReadAsStringAsync());
`;
}

function go({ method, url, headers, body }: Request): string {
  return `package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"${body === "" ? "" : '\n\t"strings"'}
)

func main() {
	request, err := http.NewRequest(${double(method)}, ${double(url)}, ${body === "" ? "nil" : `strings.NewReader(${double(body)})`})
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("${TOKEN}"))
${headers.map(([name, value]) => `\trequest.Header.Set(${double(name)}, ${double(value)})\n`).join("")}	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.StatusCode)
	fmt.Println(string(text))
}
`;
}

function powershell({ method, url, headers, body }: Request): string {
  const type = headers.find(isOfBody)?.[1];
  const others = headers.filter((header) => !isOfBody(header));
  return `$headers = @{
    Authorization = "Bearer $env:${TOKEN}"
${others.map(([name, value]) => `    ${power(name)} = ${power(value)}\n`).join("")}}
$response = Invoke-WebRequest -Method ${power(method)} -Uri ${power(url)} -Headers $headers${body === "" ? "" : ` \`\n    -ContentType ${power(type ?? "application/json")} -Body ${power(body)}`}
$response.StatusCode
$response.Content
`;
}

function rust({ method, url, headers, body }: Request): string {
  return `// Cargo.toml: reqwest = "0.13" and tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = std::env::var("${TOKEN}")?;
    let response = reqwest::Client::new()
        .request(reqwest::Method::${method}, ${double(url)})
        .bearer_auth(token)
${headers.map(([name, value]) => `        .header(${double(name)}, ${double(value)})\n`).join("")}${body === "" ? "" : `        .body(${double(body)})\n`}        .send()
        .await?;
    println!("{}", response.status().as_u16());
    println!("{}", response.text().await?);
    Ok(())
}
`;
}
